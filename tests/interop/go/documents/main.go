// A system in Go that sends a file and gets one back, as base64 in the XML.
//
//	documents WSDL-ADDRESS FILE
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
)

// begin of the recipe

type question struct {
	XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
	Put     put      `xml:"Body>Put"`
}

type put struct {
	XMLName xml.Name `xml:"urn:example:documents:1 Put"`
	Title   string
	Content encoded
}

type answer struct {
	Content encoded `xml:"Body>PutResponse>Content"`
	Fault   string  `xml:"Body>Fault>faultstring"`
}

// Octets that are base64 in the XML.
type encoded []byte

func (e encoded) MarshalText() ([]byte, error) {
	return []byte(base64.StdEncoding.EncodeToString(e)), nil
}

func (e *encoded) UnmarshalText(text []byte) (err error) {
	*e, err = base64.StdEncoding.DecodeString(string(text))
	return err
}

// end of the recipe

func main() {
	octets, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	address, _, _ := strings.Cut(os.Args[1], "?")
	body, err := xml.Marshal(question{Put: put{Title: "Справка", Content: octets}})
	if err != nil {
		log.Fatal(err)
	}
	response, err := http.Post(address, "text/xml; charset=utf-8", bytes.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	var read answer
	if err := xml.NewDecoder(response.Body).Decode(&read); err != nil {
		log.Fatal(err)
	}
	if read.Fault != "" {
		log.Fatal(read.Fault)
	}
	fmt.Printf("received: %x\n", sha256.Sum256(read.Content))
}
