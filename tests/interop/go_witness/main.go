// A cosigned checkpoint as golang.org/x/mod/sumdb/note and transparency-dev/formats read it: judge NOTE VKEY WITNESS-VKEY...
//
// Every key has to have signed. Printed are, for each witness, its name and when it cosigned, in seconds since 1970.
package main

import (
	"fmt"
	"os"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(file, logKey string, witnessKeys []string) error {
	octets, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	log, err := note.NewVerifier(logKey)
	if err != nil {
		return err
	}
	verifiers := []note.Verifier{log}
	for _, key := range witnessKeys {
		witness, err := formats.NewVerifierForCosignatureV1(key)
		if err != nil {
			return err
		}
		verifiers = append(verifiers, witness)
	}
	opened, err := note.Open(octets, note.VerifierList(verifiers...))
	if err != nil {
		return err
	}
	if len(opened.Sigs) != len(verifiers) {
		return fmt.Errorf("%d of %d keys signed", len(opened.Sigs), len(verifiers))
	}
	for _, signature := range opened.Sigs {
		if signature.Hash == log.KeyHash() && signature.Name == log.Name() {
			continue
		}
		at, err := formats.CoSigV1Timestamp(signature)
		if err != nil {
			return err
		}
		fmt.Println(signature.Name, at.Unix())
	}
	return nil
}
