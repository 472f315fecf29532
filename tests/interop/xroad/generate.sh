#!/bin/sh
# Makes code from a WSDL in the current folder and compiles programs with it. $1: the WSDL. $2: an OASIS catalogue of
# the documents that it names by URL. $3: the folder of the programs; those that follow are compiled. CLASSPATH: the jars
# that pom.xml names.
set -eu
wsdl=$1 catalogue=$2 programs=$3
shift 3

# begin of the recipe
# -exsh true: the header fields become parameters.
java org.apache.cxf.tools.wsdlto.WSDLToJava -exsh true -catalog "$catalogue" -d generated "$wsdl"
# end of the recipe
mkdir -p classes/META-INF
cp "$catalogue" classes/META-INF/jax-ws-catalog.xml
sources=$(find generated -name '*.java')
for program in Ends "$@"; do sources="$sources $programs/$program.java"; done
# shellcheck disable=SC2086  the names have no spaces
javac -nowarn -d classes $sources
