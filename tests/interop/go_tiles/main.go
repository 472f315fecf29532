// The record's tiles, checkpoint and proofs as golang.org/x/mod/sumdb reads them: tiles DIR VKEY FILE.
//
// FILE is JSON: entries with their index, text and proof; consistency proofs with their old size, old root and proof.
// Everything is computed from the tiles again, and has to be the same.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type expected struct {
	Entries []struct {
		Index int64
		Text  string
		Proof tlog.RecordProof
	}
	Consistency []struct {
		Size  int64
		Root  tlog.Hash
		Proof tlog.TreeProof
	}
}

// tiles reads C2SP tlog-tiles, whose paths have no height in them.
type tiles struct{ dir string }

func (t tiles) Height() int                         { return 8 }
func (t tiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		octets, err := os.ReadFile(filepath.Join(t.dir, path))
		if err != nil {
			return nil, err
		}
		found = append(found, octets)
	}
	return found, nil
}

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir, vkey, file string) error {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return err
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return err
	}
	var want expected
	octets, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(octets, &want); err != nil {
		return err
	}
	// Verifies each tile against the root before a hash of it is used.
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, tiles{dir})
	for _, entry := range want.Entries {
		leaf := tlog.RecordHash([]byte(entry.Text))
		if err := tlog.CheckRecord(entry.Proof, size, root, entry.Index, leaf); err != nil {
			return fmt.Errorf("entry %d: %w", entry.Index, err)
		}
		proof, err := tlog.ProveRecord(size, entry.Index, reader)
		if err != nil {
			return err
		}
		if fmt.Sprint(proof) != fmt.Sprint(entry.Proof) {
			return fmt.Errorf("entry %d: the tiles give another proof", entry.Index)
		}
	}
	for _, old := range want.Consistency {
		if err := tlog.CheckTree(old.Proof, size, root, old.Size, old.Root); err != nil {
			return fmt.Errorf("size %d: %w", old.Size, err)
		}
		proof, err := tlog.ProveTree(size, old.Size, reader)
		if err != nil {
			return err
		}
		if fmt.Sprint(proof) != fmt.Sprint(old.Proof) {
			return fmt.Errorf("size %d: the tiles give another proof", old.Size)
		}
	}
	fmt.Printf("%d entries and %d older sizes of %d\n", len(want.Entries), len(want.Consistency), size)
	return nil
}
