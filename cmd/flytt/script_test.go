package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// want ends the script unless it gave a command n arguments, or one of them.
func want(ts *testscript.TestScript, args []string, n ...int) {
	for _, each := range n {
		if len(args) == each {
			return
		}
	}
	ts.Fatalf("wrong number of arguments: %d", len(args))
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG…")
	}
	err := ts.Exec(args[1], args[2:]...)
	if code := exitStatus(err); strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, not %s", code, args[0])
	}
}

// exitStatus returns the exit code of a process that ended with err; -1 if it
// did not run, or a signal ended it.
func exitStatus(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// checkJSON reads the file strictly: one object, and nothing behind it.
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, args, 1, 2, 3)
	at, ok := descend(ts, args[0], args[1:])
	switch {
	case neg && ok:
		ts.Fatalf("%s has %s", args[0], args[1])
	case neg:
	case !ok:
		ts.Fatalf("%s has no %s", args[0], args[1])
	case len(args) == 3 && asText(at) != args[2]:
		ts.Fatalf("%s: %s is %s, not %s", args[0], args[1], asText(at), args[2])
	}
}

func descend(ts *testscript.TestScript, file string, path []string) (any, bool) {
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile(file)))
	dec.UseNumber()
	var object map[string]any
	ts.Check(dec.Decode(&object))
	if _, err := dec.Token(); err != io.EOF {
		ts.Fatalf("%s holds more than one JSON object", file)
	}
	var at any = object
	if len(path) == 0 {
		return at, true
	}
	for _, name := range strings.Split(path[0], ".") {
		var ok bool
		switch v := at.(type) {
		case map[string]any:
			at, ok = v[name]
		case []any:
			var i int
			if i, ok = index(name, len(v)); ok {
				at = v[i]
			}
		}
		if !ok {
			return nil, false
		}
	}
	return at, true
}

func index(s string, n int) (int, bool) {
	i, err := strconv.Atoi(s)
	return i, err == nil && i >= 0 && i < n
}

func asText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	data, _ := json.Marshal(v)
	return string(data)
}

func balanced(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, args, 1)
	var s struct {
		Verb     string
		Balanced bool
		Rows     map[string]int64
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &s))
	done := s.Rows["written"]
	if s.Verb == "validate" || s.Verb == "plan" {
		done = s.Rows["valid"]
	}
	for _, fate := range []string{"unchanged", "skipped", "rejected", "in_doubt", "not_sent"} {
		done += s.Rows[fate]
	}
	if (done == s.Rows["read"] && s.Balanced) == neg {
		ts.Fatalf("%d rows read, %d accounted for: %v", s.Rows["read"], done, s.Rows)
	}
}

func mode(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, args, 2)
	info, err := os.Lstat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); (got == args[1]) == neg {
		ts.Fatalf("mode of %s is %s, not %s", args[0], got, args[1])
	}
}

// rows writes a register. A note in each row makes it so wide that the whole
// cannot be read before the first request is answered.
func rows(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, 3)
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	note := ""
	if len(args) == 3 {
		width, err := strconv.Atoi(args[2])
		ts.Check(err)
		note = strings.Repeat("x", width)
	}
	var b bytes.Buffer
	b.WriteString("Nr,Namn,Titel,Kund,Not\n")
	for i := range n {
		fmt.Fprintf(&b, "R-%06d,Person %d,Kontaktperson,6f9a3c1e-0000-4000-8000-%012d,%s\n", i, i, i%7, note)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o600))
}

func recode(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 3)
	encodings := map[string]encoding.Encoding{
		"windows-1252": charmap.Windows1252,
		"utf-16le":     unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
		"utf-16be":     unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
		"utf-8-bom":    unicode.UTF8BOM,
	}
	e := encodings[args[0]]
	if e == nil {
		ts.Fatalf("unknown encoding %s", args[0])
	}
	out, err := e.NewEncoder().String(ts.ReadFile(args[1]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(out), 0o600))
}

func gz(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2)
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, ts.ReadFile(args[0]))
	ts.Check(errors.Join(err, w.Close()))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o600))
}

func gunzip(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2)
	r, err := gzip.NewReader(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	data, err := io.ReadAll(r)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}

func removeTemporary(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 0)
	left, err := filepath.Glob(ts.MkAbs(".flytt-*.tmp"))
	ts.Check(err)
	if len(left) != 1 {
		ts.Fatalf("%d temporary files, want 1", len(left))
	}
	ts.Check(os.Remove(left[0]))
}

func checkSum(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2)
	var m struct {
		SHA256 string
		Bytes  int
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &m))
	data := ts.ReadFile(args[0])
	if sum := sha256.Sum256([]byte(data)); m.SHA256 != hex.EncodeToString(sum[:]) || m.Bytes != len(data) {
		ts.Fatalf("%s is not what %s tells of", args[0], args[1])
	}
}

func lastLine(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, args, 2)
	lines := strings.Split(strings.TrimRight(ts.ReadFile(args[0]), "\n"), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if (last == args[1]) == neg {
		ts.Fatalf("the last line of %s is %s", args[0], last)
	}
}

func replace(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 3)
	old := ts.ReadFile(args[0])
	if !strings.Contains(old, args[1]) {
		ts.Fatalf("%s does not hold %s", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(old, args[1], args[2])), 0o600))
}

func same(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, args, 2)
	if (ts.ReadFile(args[0]) == ts.ReadFile(args[1])) == neg {
		ts.Fatalf("%s and %s: same is %t", args[0], args[1], neg)
	}
}

// process prepares a program that runs beside the script.
func process(ts *testscript.TestScript, args []string) (*exec.Cmd, func()) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "HOME=/no-home")
	for _, name := range append(credentialNames, "FLYTT_BASE_URL", "FLYTT_KEY_DIR") {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	var files []*os.File
	for _, each := range []struct {
		name string
		dst  *io.Writer
	}{{"stdout.txt", &cmd.Stdout}, {"stderr.txt", &cmd.Stderr}} {
		f, err := os.Create(filepath.Join(cmd.Dir, each.name))
		ts.Check(err)
		*each.dst = f
		files = append(files, f)
	}
	return cmd, func() {
		for _, f := range files {
			ts.Check(f.Close())
		}
	}
}
