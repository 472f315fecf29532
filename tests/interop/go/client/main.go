// A system in Go that asks its own adapter for a person: SOAP 1.1 with the standard library alone.
//
//	client [-ca FILE] [-token TOKEN] [-user NAME -password WORD] [-certificate FILE -key FILE] WSDL-ADDRESS PINFL
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

var (
	ca          = flag.String("ca", "", "file with the CA of the adapter")
	token       = flag.String("token", "", "token of this system")
	user        = flag.String("user", "", "user name of this system")
	password    = flag.String("password", "", "password of this system")
	certificate = flag.String("certificate", "", "file with the certificate of this system")
	key         = flag.String("key", "", "file with its private key")
)

func main() {
	flag.Parse()
	address, _, _ := strings.Cut(flag.Arg(0), "?")
	answer, err := ask(address, flag.Arg(1))
	if err != nil {
		log.Fatal(err)
	}
	os.Exit(show(answer))
}

// begin of the recipe

// The question, with the header RequestContext: who asks, why, on which legal basis, about whom.
type question struct {
	XMLName xml.Name       `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
	Context requestContext `xml:"Header>RequestContext"`
	Person  getPerson      `xml:"Body>GetPerson"`
}

type requestContext struct {
	XMLName    xml.Name `xml:"urn:interagency-adapter:client:1 RequestContext"`
	Official   string
	Purpose    string
	LegalBasis kinded
	Subject    kinded
}

type kinded struct {
	Kind string `xml:"kind,attr"`
	Text string `xml:",chardata"`
}

type getPerson struct {
	XMLName xml.Name `xml:"urn:example:population-register:1 GetPerson"`
	Pinfl   string
}

// The answer: a person or a fault.
type answer struct {
	Person *struct {
		Surname   string `xml:"NameCyrillic>Surname"`
		BirthDate date
	} `xml:"Body>GetPersonResponse>Person"`
	Fault *struct {
		Text     string `xml:"faultstring"`
		Code     string `xml:"detail>Fault>Code"`
		Retry    string `xml:"detail>Fault>Retry"`
		Incident string `xml:"detail>Fault>Incident"`
	} `xml:"Body>Fault"`
}

type date struct{ time.Time }

func (d *date) UnmarshalText(text []byte) (err error) {
	d.Time, err = time.Parse("2006-01-02", string(text))
	return err
}

func ask(address, pinfl string) (*answer, error) {
	body, err := xml.Marshal(question{
		Context: requestContext{
			Official:   "inspector-17",
			Purpose:    "social-benefit",
			LegalBasis: kinded{"law", "Law No. 395 of 2015, article 12"},
			Subject:    kinded{"pinfl", pinfl},
		},
		Person: getPerson{Pinfl: pinfl},
	})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "text/xml; charset=utf-8")
	request.Header.Set("SOAPAction", `"urn:example:population-register:1/GetPerson"`)
	// How the adapter knows this system, whichever its settings say: a token, a password, or a certificate (below).
	if *token != "" {
		request.Header.Set("Authorization", "Bearer "+*token)
	}
	if *user != "" {
		request.SetBasicAuth(*user, *password)
	}
	client, err := httpClient()
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	read := new(answer)
	return read, xml.NewDecoder(response.Body).Decode(read)
}

func httpClient() (*http.Client, error) {
	settings := &tls.Config{}
	if *ca != "" {
		pem, err := os.ReadFile(*ca)
		if err != nil {
			return nil, err
		}
		settings.RootCAs = x509.NewCertPool()
		settings.RootCAs.AppendCertsFromPEM(pem)
	}
	if *certificate != "" {
		own, err := tls.LoadX509KeyPair(*certificate, *key)
		if err != nil {
			return nil, err
		}
		settings.Certificates = []tls.Certificate{own}
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: settings}, Timeout: time.Minute}, nil
}

// end of the recipe

func show(answer *answer) int {
	if fault := answer.Fault; fault != nil {
		fmt.Printf("code: %s\nretry: %s\nincident: %s\ntext: %s\n", fault.Code, fault.Retry, fault.Incident, fault.Text)
		return 1
	}
	fmt.Printf("surname: %s\nborn: %s\n", answer.Person.Surname, answer.Person.BirthDate.Format("2006-01-02"))
	return 0
}
