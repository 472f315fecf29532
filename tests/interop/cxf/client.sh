#!/bin/sh
# Makes the client in the current folder. $1: the address of the WSDL. $2: the folder of Client.java. CLASSPATH: the
# jars that pom.xml names.
set -eu

# begin of the recipe
# -exsh true: the header RequestContext, which the WSDL declares, becomes a parameter.
java org.apache.cxf.tools.wsdlto.WSDLToJava -exsh true \
    -p urn:example:population-register:1=register \
    -p urn:interagency-adapter:client:1=adapter \
    -p urn:interagency-adapter:fault:1=adapter.fault \
    -p urn:interagency-adapter:identifiers:1=adapter.id \
    -p urn:interagency-adapter:legal-basis:1=adapter.law \
    -d generated "$1"
# end of the recipe
mkdir classes
# shellcheck disable=SC2046  the names have no spaces
javac -nowarn -d classes $(find generated -name '*.java') "$2/Client.java"
