// A system in C++ that asks its own adapter for a person. The classes are generated from the WSDL: see client.sh.
//
//     client WSDL-ADDRESS PINFL

#include <cstdio>
#include <string>

#include "PopulationRegisterSoap.nsmap"
#include "soapPopulationRegisterSoapProxy.h"

int main(int argc, char *argv[])
{
    if (argc != 3) {
        return 2;
    }
    std::string address(argv[1]), pinfl(argv[2]);
    address = address.substr(0, address.find('?'));

    // begin of the recipe
    PopulationRegisterSoapProxy service(address.c_str(), SOAP_C_UTFSTRING); // std::string holds UTF-8

    // Who asks, why, on which legal basis, about whom: the header RequestContext.
    std::string official("inspector-17"), purpose("social-benefit");
    lb__LegalBasis basis;
    basis.kind = "law";
    basis.__item = "Law No. 395 of 2015, article 12";
    id__Subject subject;
    subject.kind = "pinfl";
    subject.__item = pinfl;
    _c__RequestContext context;
    context.Official = &official;
    context.Purpose = &purpose;
    context.LegalBasis = &basis;
    context.Subject.push_back(&subject);
    service.soap_header(&context);

    _p__GetPerson question;
    question.Pinfl = pinfl;
    _p__GetPersonResponse answer;
    if (service.GetPerson(&question, answer) == SOAP_OK) {
        const tm &born = answer.Person->BirthDate;
        std::printf("surname: %s\n", answer.Person->NameCyrillic->Surname.c_str());
        std::printf("born: %04d-%02d-%02d\n", born.tm_year + 1900, born.tm_mon + 1, born.tm_mday);
        return 0;
    }
    const SOAP_ENV__Fault *fault = service.soap_fault();
    if (fault && fault->detail && fault->detail->f__Fault) {
        const _f__Fault *told = fault->detail->f__Fault;
        std::printf("code: %s\nretry: %s\nincident: %s\n", told->Code.c_str(),
                    soap_f__Retry2s(service.soap, told->Retry), told->Incident.c_str());
        std::printf("text: %s\n", fault->faultstring);
        return 1;
    }
    service.soap_stream_fault(std::cerr); // not from an adapter: nobody there
    return 2;
    // end of the recipe
}
