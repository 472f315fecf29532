#!/bin/sh
# Makes the client of documents in the current folder. $1: the address of the WSDL. $2: the folder of Documents.java.
# CLASSPATH: the jars that pom.xml names.
set -eu

java org.apache.cxf.tools.wsdlto.WSDLToJava -p urn:example:documents:1=archive -d generated "$1"
mkdir classes
# shellcheck disable=SC2046  the names have no spaces
javac -nowarn -d classes $(find generated -name '*.java') "$2/Documents.java"
