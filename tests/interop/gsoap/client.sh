#!/bin/sh
# Makes the client in the current folder. $1: the address of the WSDL. $2: the folder of client.cpp and typemap.dat.
set -eu

# begin of the recipe
wsdl2h -t "$2/typemap.dat" -o person.h "$1"
soapcpp2 -C -j -I/usr/share/gsoap/import:/usr/share/gsoap person.h
c++ -O0 -I. -I/usr/share/gsoap "$2/client.cpp" soapC.cpp soapPopulationRegisterSoapProxy.cpp \
    /usr/share/gsoap/custom/struct_tm_date.c -lgsoap++ -lz -o client
# end of the recipe
