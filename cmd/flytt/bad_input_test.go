package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// flyttIn runs flytt in the working directory and returns its exit code and
// what it printed.
func flyttIn(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = execute(args, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

// goodInputs goes to a new directory with one register in every format, good.EXT,
// whose columns have the names of the fields.
func goodInputs(t *testing.T, rows int) {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("FLYTT_CONFIG", "")
	var b strings.Builder
	b.WriteString("custom_id,name,title,external_client.id\n")
	for i := range rows {
		fmt.Fprintf(&b, "N-%d,Person %d,Kontaktperson,6f9a3c1e-0000-4000-8000-%012d\n", i, i*i, i)
	}
	if err := os.WriteFile("good.csv", []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, extension := range []string{"csv.gz", "csv.zst", "jsonl", "jsonl.gz", "jsonl.zst", "xlsx", "parquet"} {
		code, _, stderr := flyttIn("convert", "good.csv", "-o", "good."+extension, "-q", "--run-dir", "run-"+extension)
		if code != exitDone {
			t.Fatalf("good.%s: exit code %d\n%s", extension, code, stderr)
		}
	}
}

// The ways a file goes bad.
func half(data []byte) []byte    { return data[:len(data)/2] }
func nothing([]byte) []byte      { return nil }
func cutShort(d []byte) []byte   { return d[:len(d)-10] }
func marksOnly([]byte) []byte    { return []byte("PAR1PAR1") }
func openQuote(d []byte) []byte  { return append(d, "N-x,\"Person\n"...) }
func noObject([]byte) []byte     { return []byte("{\"custom_id\":\n[\n") }
func hugeFooter(d []byte) []byte { return append(d[:len(d)-8], "\xff\xff\xff\x7fPAR1"...) }

// flipped changes bytes in the middle.
func flipped(data []byte) []byte {
	data = bytes.Clone(data)
	for i := len(data) / 2; i < len(data)/2+64; i++ {
		data[i] ^= 0x5A
	}
	return data
}

// noise is bytes that are nothing.
func noise([]byte) []byte {
	data := make([]byte, 100_000)
	state := uint32(1)
	for i := range data {
		state = state*1664525 + 1013904223
		data[i] = byte(state >> 24)
	}
	return data
}

// TestBadInputIsNamedAndLeavesNothingBehind converts files that are broken: the
// message names the file, the exit code is 4, it does not take long, and there
// is no output, whole or in part.
func TestBadInputIsNamedAndLeavesNothingBehind(t *testing.T) {
	goodInputs(t, 5000)
	for _, test := range []struct {
		extension string
		how       string
		damage    func([]byte) []byte
		place     string // that the message names besides the file
	}{
		{"csv", "quote not closed", openQuote, "line 5002"},
		{"csv.gz", "cut in half", half, ""},
		{"csv.zst", "cut in half", half, ""},
		{"csv.gz", "flipped", flipped, ""},
		{"csv.zst", "flipped", flipped, ""},
		{"jsonl.gz", "cut in half", half, ""},
		{"jsonl.zst", "cut in half", half, ""},
		{"jsonl", "no object", noObject, ""},
		{"xlsx", "cut in half", half, ""},
		{"xlsx", "cut short", cutShort, ""},
		{"xlsx", "flipped", flipped, ""},
		{"xlsx", "noise", noise, ""},
		{"parquet", "cut in half", half, ""},
		{"parquet", "cut short", cutShort, ""},
		{"parquet", "flipped", flipped, ""},
		{"parquet", "marks only", marksOnly, ""},
		{"parquet", "huge footer", hugeFooter, ""},
		{"parquet", "noise", noise, ""},
		{"csv", "empty", nothing, ""},
		{"jsonl", "empty", nothing, ""},
		{"xlsx", "empty", nothing, ""},
		{"parquet", "empty", nothing, ""},
		{"csv.gz", "empty", nothing, ""},
	} {
		t.Run(test.extension+" "+test.how, func(t *testing.T) {
			good, err := os.ReadFile("good." + test.extension)
			if err != nil {
				t.Fatal(err)
			}
			bad := filepath.Join(t.TempDir(), "bad."+test.extension)
			if err := os.WriteFile(bad, test.damage(good), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, to := range []string{"csv", "jsonl.gz", "xlsx", "parquet"} {
				failsOn(t, bad, test.place, "convert", bad, "-o", filepath.Join(t.TempDir(), "out."+to), "--json")
			}
			failsOn(t, bad, test.place, "validate", bad, "--json")
			failsOn(t, bad, test.place, "inspect", bad, "--count", "--json")
		})
	}
}

// failsOn runs flytt on a file that is broken. If it was to write a file, that
// is the fourth argument.
func failsOn(t *testing.T, bad, place string, args ...string) {
	t.Helper()
	started := time.Now()
	code, stdout, stderr := flyttIn(append(args, "--no-progress")...)
	if took := time.Since(started); took > 3*time.Second {
		t.Errorf("%s takes %s", args[0], took)
	}
	if code != exitFatal {
		t.Errorf("%s: exit code %d, want %d\n%s", args, code, exitFatal, stderr)
	}
	names := regexp.MustCompile(`(?m)^flytt: ` + regexp.QuoteMeta(bad) + `( .+)?: .+`)
	if line := names.FindString(stderr); line == "" || !strings.Contains(line, place) {
		t.Errorf("%s does not name the file, or not %q:\n%s", args[0], place, stderr)
	}
	if strings.Contains(stderr, "Person ") || strings.Contains(stderr, "goroutine") {
		t.Errorf("%s shows a value, or panics:\n%s", args[0], stderr)
	}
	var summary struct {
		Exit  int
		Error struct{ Message string }
	}
	if err := json.Unmarshal([]byte(stdout), &summary); err != nil || summary.Exit != exitFatal || summary.Error.Message == "" {
		t.Errorf("%s: %v, summary %+v", args[0], err, summary)
	}
	if args[0] != "convert" {
		return
	}
	if left, err := os.ReadDir(filepath.Dir(args[3])); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestInputWithoutPermission(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	goodInputs(t, 3)
	for _, extension := range []string{"csv", "jsonl", "xlsx", "parquet"} {
		file := "good." + extension
		if err := os.Chmod(file, 0); err != nil {
			t.Fatal(err)
		}
		failsOn(t, file, "", "convert", file, "-o", filepath.Join(t.TempDir(), "out.csv"), "--json")
	}
}

// grow appends text to a file.
func grow(t *testing.T, file, text string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(f, text)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}
