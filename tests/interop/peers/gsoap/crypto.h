// What gSOAP's plugin wsse lacks for the envelope, with OpenSSL: RSA-OAEP with SHA-256 and MGF1-SHA-256, AES-128-GCM as
// XML Encryption 1.1 has it (IV, ciphertext, tag).

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdexcept>
#include <string>

inline void must(bool good, const char *what)
{
    if (!good)
        throw std::runtime_error(what);
}

inline std::string oaep(bool encrypt, EVP_PKEY *key, const std::string &octets)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    must((encrypt ? EVP_PKEY_encrypt_init(context) : EVP_PKEY_decrypt_init(context)) == 1
        && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1
        && EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) == 1
        && EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1, "OAEP");
    unsigned char out[1024];
    size_t length = sizeof out;
    const unsigned char *in = (const unsigned char *)octets.data();
    must((encrypt ? EVP_PKEY_encrypt(context, out, &length, in, octets.size())
        : EVP_PKEY_decrypt(context, out, &length, in, octets.size())) == 1, "the key is for somebody else");
    EVP_PKEY_CTX_free(context);
    return std::string((char *)out, length);
}

inline std::string random_octets(int length)
{
    std::string octets(length, '\0');
    must(RAND_bytes((unsigned char *)&octets[0], length) == 1, "random octets");
    return octets;
}

inline std::string gcm_encrypt(const std::string &key, const std::string &text)
{
    std::string iv = random_octets(12), out(text.size(), '\0'), tag(16, '\0');
    int length;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    must(EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, (unsigned char *)key.data(), (unsigned char *)iv.data()) == 1
        && EVP_EncryptUpdate(context, (unsigned char *)&out[0], &length, (unsigned char *)text.data(), text.size()) == 1
        && EVP_EncryptFinal_ex(context, (unsigned char *)&out[0] + length, &length) == 1
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, &tag[0]) == 1, "AES-GCM");
    EVP_CIPHER_CTX_free(context);
    return iv + out + tag;
}

inline std::string gcm_decrypt(const std::string &key, const std::string &octets)
{
    must(octets.size() >= 28, "too short for an IV and a tag");
    std::string text(octets.size() - 28, '\0'), tag = octets.substr(octets.size() - 16);
    int length;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    must(EVP_DecryptInit_ex(context, EVP_aes_128_gcm(), NULL, (unsigned char *)key.data(), (unsigned char *)octets.data())
            == 1
        && EVP_DecryptUpdate(context, (unsigned char *)&text[0], &length, (unsigned char *)octets.data() + 12, text.size())
            == 1
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16, &tag[0]) == 1
        && EVP_DecryptFinal_ex(context, (unsigned char *)&text[0] + length, &length) == 1, "the tag is wrong");
    EVP_CIPHER_CTX_free(context);
    return text;
}
