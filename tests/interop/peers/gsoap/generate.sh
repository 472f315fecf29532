#!/bin/sh
# Makes the client in the current folder. $1: the address of the peer WSDL. $2: the folder of client.cpp.
set -eu

# begin of the recipe
wsdl2h -s -t "$2/typemap.dat" -o peer.h "$1"
# The plugin's header block Security, and the type of wsu:Id, which gSOAP's own wsu.h lacks.
sed -i -e 's/^#import "soap12.h"/&\n#import "wsse.h"/' -e 's/@ *_wsu__Id /@ char* /' peer.h
soapcpp2 -j -C -w -x -I/usr/share/gsoap/import:/usr/share/gsoap peer.h
plugin=/usr/share/gsoap/plugin
c++ -O0 -w -DWITH_OPENSSL -DWITH_DOM -DWITH_GZIP -DWITH_IPV6 -I. -I/usr/share/gsoap -I$plugin "$2/client.cpp" soapC.cpp \
    soapPopulationRegisterSoapProxy.cpp $plugin/wsseapi.cpp $plugin/smdevp.c $plugin/mecevp.c $plugin/threads.c \
    /usr/share/gsoap/custom/struct_timeval.c \
    -lgsoapssl++ -lssl -lcrypto -lz -o client
# end of the recipe
