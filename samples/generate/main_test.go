package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flytt/samples"
)

func TestDirHoldsARegisterReadyToImport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "register")
	if err := run([]string{"-rows", "200", "-seed", "4", "-faults", "0.5", "-dir", dir}, os.Stdout, os.Stderr); err != nil {
		t.Fatal(err)
	}
	o := samples.Options{Rows: 200, Seed: 4, Faults: 0.5}
	var register, clients bytes.Buffer
	rejected := 0
	err := samples.WriteRegister(&register, o, func(r *samples.Truth) error {
		if r.Fate == samples.Rejected {
			rejected++
		}
		return nil
	})
	if err := errors.Join(err, samples.WriteClients(&clients, o)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, dir, "register.csv"), register.Bytes()) {
		t.Error("register.csv is another than the package writes")
	}
	if !bytes.Equal(read(t, dir, "clients.csv"), clients.Bytes()) {
		t.Error("clients.csv is another than the package writes")
	}
	if !bytes.Contains(read(t, dir, "mapping.yaml"), []byte("resource: externalclientcontactperson")) {
		t.Error("mapping.yaml is not the sample's")
	}
	for line := range strings.Lines(string(read(t, dir, "truth.jsonl"))) {
		var truth samples.Truth
		if err := json.Unmarshal([]byte(line), &truth); err != nil {
			t.Fatal(err)
		}
		if truth.Fate == samples.Rejected {
			rejected--
		}
	}
	if rejected != 0 {
		t.Errorf("truth.jsonl lacks %d rejected rows", rejected)
	}
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRegisterGoesToStdout(t *testing.T) {
	var out, truth bytes.Buffer
	if err := run([]string{"-rows", "10", "-encoding", "utf-8"}, &out, &truth); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "Kontaktnr;Kundnr;Namn;Förnamn") {
		t.Errorf("no header in %q", out.String())
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"-rows", "x"}, {"-rows", "-1"}, {"file"}, {"-dir", "d", "-o", "f"}, {"-encoding", "ebcdic"}, {"-faults", "2"}} {
		if err := run(args, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
	var usage bytes.Buffer
	if err := run([]string{"-h"}, &bytes.Buffer{}, &usage); !errors.Is(err, flag.ErrHelp) || !strings.Contains(usage.String(), "-faults") {
		t.Errorf("-h: %v, usage %q", err, usage.String())
	}
}

func TestUnwritableFiles(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "no", "such", "file")
	for _, name := range []string{"-o", "-clients", "-truth"} {
		if err := run([]string{"-rows", "1", name, missing}, &bytes.Buffer{}, &bytes.Buffer{}); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
