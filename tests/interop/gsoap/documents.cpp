// A system in C++ that sends a file as MTOM and gets one back: see documents.sh.
//
//     documents WSDL-ADDRESS FILE

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include <openssl/sha.h>

#include "DocumentsSoap.nsmap"
#include "soapDocumentsSoapProxy.h"

int main(int argc, char *argv[])
{
    if (argc != 3) {
        return 2;
    }
    std::string address(argv[1]);
    address = address.substr(0, address.find('?'));
    std::ifstream file(argv[2], std::ios::binary);
    std::string octets((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());

    // begin of the recipe
    DocumentsSoapProxy service(address.c_str(), SOAP_C_UTFSTRING | SOAP_ENC_MTOM);
    xsd__base64Binary content;
    content.__ptr = reinterpret_cast<unsigned char *>(&octets[0]);
    content.__size = static_cast<int>(octets.size());
    content.id = const_cast<char *>("cid:file@client"); // an id and a type make it a part of its own
    content.type = const_cast<char *>("application/pdf");
    _d__Put question;
    question.Title = "Справка";
    question.Content = &content;
    _d__PutResponse answer;
    if (service.Put(&question, answer) != SOAP_OK) {
        service.soap_stream_fault(std::cerr);
        return 1;
    }
    // end of the recipe
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(answer.Content->__ptr, static_cast<size_t>(answer.Content->__size), digest);
    std::printf("received: ");
    for (unsigned char octet : digest) {
        std::printf("%02x", octet);
    }
    std::printf("\n");
}
