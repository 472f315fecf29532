// A member without an adapter in C++: gSOAP and its plugin wsse sign and verify, OpenSSL encrypts and decrypts, because
// the plugin has neither RSA-OAEP with SHA-256 nor EncryptedHeader nor SignatureConfirmation.
//
//     client ask      writes a request to standard output, and its SignatureValue to the file CONFIRMATION
//     client plugin   writes a request that the plugin alone has signed and encrypted as well as it can
//     client read     reads the reply from standard input, and says the surname
//
// What the message says, and where the keys are, comes from the environment. The way to the adapter is any HTTPS client's.

#include "PopulationRegisterSoap.nsmap"
#include "crypto.h"
#include "soapPopulationRegisterSoapProxy.h"
#include "wsseapi.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <openssl/pem.h>
#include <sstream>

static const char *WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
static const char *WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
static const char *ENVELOPE = "urn:interagency-adapter:envelope:1";

static char *said(const char *name)
{
    char *value = getenv(name);
    must(value != NULL, name);
    return value;
}

template <typename T>
static T *from_pem(const char *file, T *(*read)(FILE *, T **, pem_password_cb *, void *))
{
    FILE *opened = fopen(file, "r");
    T *found = opened == NULL ? NULL : read(opened, NULL, NULL, NULL);
    must(found != NULL, file);
    fclose(opened);
    return found;
}

static std::string base64(const std::string &octets)
{
    std::string text((octets.size() + 2) / 3 * 4 + 1, '\0');
    text.resize(EVP_EncodeBlock((unsigned char *)&text[0], (const unsigned char *)octets.data(), octets.size()));
    return text;
}

static std::string from_base64(const std::string &text)
{
    std::string octets(text.size(), '\0');
    int length = EVP_DecodeBlock((unsigned char *)&octets[0], (const unsigned char *)text.data(), text.size());
    must(length >= 0, "not base64");
    octets.resize(length - (text.size() > 1 && text[text.size() - 1] == '=') - (text.size() > 1 && text[text.size() - 2] == '='));
    return octets;
}

// Where a part of a message stands: from `start` on, up to and with `end`.
struct Part {
    size_t from, to;
    Part(const std::string &message, const std::string &start, const std::string &end, size_t after = 0)
        : from(message.find(start, after)), to(from == std::string::npos ? from : message.find(end, from))
    {
        must(to != std::string::npos, start.c_str());
        to += end.size();
    }
};

static std::string cut(const std::string &message, const Part &part)
{
    return message.substr(part.from, part.to - part.from);
}

static std::string inside(const std::string &message, const std::string &start, const std::string &end, size_t after = 0)
{
    Part part(message, start, end, after);
    return message.substr(part.from + start.size(), part.to - part.from - start.size() - end.size());
}

// begin of the recipe
static void add_statements(struct soap *soap, _ia__Exchange &exchange, _ia__PersonalData &personal, iid__Subject *&subject,
    ilb__LegalBasis &basis)
{
    exchange.MessageId = said("MESSAGE_ID");
    exchange.Consumer = said("CONSUMER");
    exchange.Service = said("SERVICE");
    exchange.Operation = (char *)"GetPerson";
    exchange.Official = (char *)"inspector-17";
    exchange.Sent = time(NULL);
    exchange.ReplyBy = exchange.Sent + 30;
    exchange.wsu__Id = (char *)"Exchange";
    exchange.SOAP_ENV__mustUnderstand = (char *)"true";
    subject->__item = said("PINFL");
    subject->kind = (char *)"pinfl";
    basis.__item = (char *)"Law No. 395 of 2015, article 12";
    basis.kind = (char *)"law";
    personal.Purpose = (char *)"social-benefit";
    personal.__sizeSubject = 1;
    personal.Subject = &subject;
    personal.LegalBasis = &basis;
    personal.wsu__Id = (char *)"PersonalData";
    personal.SOAP_ENV__mustUnderstand = (char *)"true";
    soap->header->ia__Exchange = &exchange;
    soap->header->ia__PersonalData = &personal;
}

// The plugin signs the header blocks, Timestamp, token and Body: RSA-SHA-256, exclusive canonicalisation.
static void sign(struct soap *soap)
{
    soap_wsse_add_Timestamp(soap, "Timestamp", 300);
    soap_wsse_add_BinarySecurityTokenX509(soap, "Token", from_pem<X509>(said("SIGNING_CERTIFICATE"), PEM_read_X509));
    soap_wsse_add_KeyInfo_SecurityTokenReferenceX509(soap, "#Token");
    soap_wsse_set_wsu_id(soap, "SOAP-ENV:Body");
    soap_wsse_sign_only(soap, "Exchange PersonalData Timestamp Token SOAP-ENV:Body");
    must(!soap_wsse_sign_body(soap, SOAP_SMD_SIGN_RSA_SHA256, from_pem<EVP_PKEY>(said("SIGNING_KEY"), PEM_read_PrivateKey), 0),
        "sign");
}

static std::string encrypted_data(const std::string &id, const std::string &type, const std::string &key,
    const std::string &text)
{
    return "<xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" Id=\"" + id
        + "\" Type=\"http://www.w3.org/2001/04/xmlenc#" + type
        + "\"><xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes128-gcm\"/><xenc:CipherData>"
          "<xenc:CipherValue>" + base64(gcm_encrypt(key, text)) + "</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>";
}

// The signed message with PersonalData, Signature and Body encrypted for the recipient.
static std::string encrypt(std::string message)
{
    X509 *recipient = from_pem<X509>(said("RECIPIENT"), PEM_read_X509);
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(recipient);
    std::string key = random_octets(16), wrapped = oaep(true, X509_get0_pubkey(recipient), key);

    size_t body = message.find(">", message.find("<SOAP-ENV:Body ")) + 1, end = message.find("</SOAP-ENV:Body>");
    message.replace(body, end - body, encrypted_data("BodyCipher", "Content", key, message.substr(body, end - body)));
    Part personal(message, "<ia:PersonalData ", "</ia:PersonalData>");
    message.replace(personal.from, personal.to - personal.from,
        "<wsse11:EncryptedHeader xmlns:wsse11=\"http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd\""
        " xmlns:wsu=\"" + std::string(WSU) + "\" wsu:Id=\"EncryptedHeader\" SOAP-ENV:mustUnderstand=\"true\">"
        + encrypted_data("PersonalCipher", "Element", key, cut(message, personal)) + "</wsse11:EncryptedHeader>");
    Part signature(message, "<ds:Signature ", "</ds:Signature>");
    std::string encrypted_key =
        "<xenc:EncryptedKey xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\""
        " Id=\"Key\"><xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#rsa-oaep\">"
        "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><xenc11:MGF xmlns:xenc11="
        "\"http://www.w3.org/2009/xmlenc11#\" Algorithm=\"http://www.w3.org/2009/xmlenc11#mgf1sha256\"/>"
        "</xenc:EncryptionMethod><ds:KeyInfo><wsse:SecurityTokenReference><wsse:KeyIdentifier EncodingType="
        "\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary\" ValueType="
        "\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509SubjectKeyIdentifier\">"
        + base64(std::string((const char *)ASN1_STRING_get0_data(ski), ASN1_STRING_length(ski)))
        + "</wsse:KeyIdentifier></wsse:SecurityTokenReference></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>"
        + base64(wrapped) + "</xenc:CipherValue></xenc:CipherData><xenc:ReferenceList>"
        "<xenc:DataReference URI=\"#PersonalCipher\"/><xenc:DataReference URI=\"#SignatureCipher\"/>"
        "<xenc:DataReference URI=\"#BodyCipher\"/></xenc:ReferenceList></xenc:EncryptedKey>";
    message.replace(signature.from, signature.to - signature.from,
        encrypted_key + encrypted_data("SignatureCipher", "Element", key, cut(message, signature)));
    return message;
}

// The reply with everything decrypted and without its EncryptedKey: what was signed.
static std::string decrypt(std::string reply)
{
    Part encrypted_key(reply, "<xenc:EncryptedKey ", "</xenc:EncryptedKey>");
    std::string wrapped = inside(cut(reply, encrypted_key), "<xenc:CipherValue>", "</xenc:CipherValue>");
    std::string key = oaep(false, from_pem<EVP_PKEY>(said("AGREEMENT_KEY"), PEM_read_PrivateKey), from_base64(wrapped));
    reply.erase(encrypted_key.from, encrypted_key.to - encrypted_key.from);
    while (reply.find("<xenc:EncryptedData ") != std::string::npos) {
        Part data(reply, "<xenc:EncryptedData ", "</xenc:EncryptedData>");
        std::string octets = from_base64(inside(cut(reply, data), "<xenc:CipherValue>", "</xenc:CipherValue>"));
        reply.replace(data.from, data.to - data.from, gcm_decrypt(key, octets));
    }
    return reply;
}

// The plugin verifies the signature; that it covers what is used, and answers our request, is asked by hand.
static void read(PopulationRegisterSoapProxy &proxy, const std::string &reply, _p__GetPersonResponse &answer)
{
    struct soap *soap = proxy.soap;
    std::ifstream kept(said("CONFIRMATION"));
    std::string confirmation((std::istreambuf_iterator<char>(kept)), std::istreambuf_iterator<char>());
    must(inside(reply, "SignatureConfirmation ", ">").find(" Value=\"" + confirmation + "\"") != std::string::npos,
        "answers another request");
    must(!soap_ssl_client_context(soap, SOAP_SSL_DEFAULT, NULL, NULL, said("AUTHORITIES"), NULL, NULL), "authorities");
    std::istringstream input(reply);
    soap->is = &input;
    soap_wsse_verify_auto(soap, SOAP_SMD_NONE, NULL, 0);
    if (proxy.recv_GetPerson(answer)) {
        soap_print_fault(soap, stderr);
        throw std::runtime_error("the plugin does not take the reply");
    }
    must(!soap_wsse_verify_Timestamp(soap) && !soap_wsse_verify_body(soap), "Body or Timestamp not signed");
    must(soap_wsse_verify_element(soap, ENVELOPE, "Exchange") == 1, "Exchange not signed");
    must(soap_wsse_verify_element(soap, WSU, "Timestamp") == 1, "Timestamp not signed");
    must(soap_wsse_verify_element(soap, WSSE, "BinarySecurityToken") == 1, "token not signed");
}
// end of the recipe

static void encrypt_with_the_plugin(struct soap *soap)
{
    X509 *recipient = from_pem<X509>(said("RECIPIENT"), PEM_read_X509);
    soap_wsse_add_EncryptedKey_encrypt_only(soap, SOAP_MEC_ENV_ENC_AES128_GCM | SOAP_MEC_OAEP, "Key", recipient, "ski", NULL,
        NULL, "ds:Signature SOAP-ENV:Body");
}

static void run(const std::string &mode)
{
    PopulationRegisterSoapProxy proxy(SOAP_XML_CANONICAL | SOAP_C_UTFSTRING);
    struct soap *soap = proxy.soap;
    soap_register_plugin(soap, soap_wsse);
    if (mode == "read") {
        std::string reply((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
        _p__GetPersonResponse answer;
        read(proxy, decrypt(reply), answer);
        must(answer.Person != NULL, "no person in the answer");
        std::cout << "surname: " << answer.Person->NameCyrillic->Surname << "\n";
        return;
    }
    _ia__Exchange exchange;
    _ia__PersonalData personal;
    iid__Subject one, *subject = &one;
    ilb__LegalBasis basis;
    soap_wsse_add_Security(soap);
    add_statements(soap, exchange, personal, subject, basis);
    sign(soap);
    if (mode == "plugin")
        encrypt_with_the_plugin(soap);
    std::ostringstream output;
    soap->os = &output;
    _p__GetPerson ask;
    ask.Pinfl = said("PINFL");
    proxy.send_GetPerson("", NULL, &ask);
    std::string message = output.str().substr(output.str().find("<SOAP-ENV:Envelope"));
    if (mode == "ask") {
        std::ofstream(said("CONFIRMATION")) << inside(message, "<ds:SignatureValue>", "</ds:SignatureValue>");
        message = encrypt(message);
    }
    std::cout << message;
}

int main(int count, char **arguments)
{
    try {
        run(count == 2 ? arguments[1] : "");
    } catch (const std::runtime_error &failure) {
        std::cerr << "client: " << failure.what() << "\n";
        return 1;
    }
    return 0;
}
