#!/bin/sh
# Makes the client of documents in the current folder. $1: the address of the WSDL. $2: the folder of documents.cpp.
set -eu
wsdl2h -t "$2/typemap.dat" -o documents.h "$1"
soapcpp2 -C -j -I/usr/share/gsoap/import:/usr/share/gsoap documents.h
c++ -O0 -I. -I/usr/share/gsoap "$2/documents.cpp" soapC.cpp soapDocumentsSoapProxy.cpp \
    /usr/share/gsoap/custom/struct_tm_date.c -lgsoap++ -lz -lcrypto -o documents
