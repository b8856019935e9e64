package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A page is run from top to bottom by one shell, in a directory that has what a clone has.
// Each block of language sh is run, unless its mark says why not. Each of its commands has
// to exit with 0, or with the code that its comment names:
//
//	flytt validate register.csv   # exit code 1: some rows are rejected
//
// A block of YAML whose first line is a comment with a file name is written to that file,
// in the directory where the page then is. A block of text is what the commands above it
// print, or consecutive lines of that; "…" stands for any text, and alone in a line for
// any number of lines.

// prelude is run before the first block. make checks that the target is there.
const prelude = `
make() { for target; do grep -q "^$target:" "$CLONE/Makefile" || return 2; done; }
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
failed() { { echo "$2: exit code $1; the block printed"; cat "$OUT/$3"; } >>"$OUT/failed"; }
`

var codeComment = regexp.MustCompile(`#.*\bexit code (\d+)`)

// runPage runs the blocks of p and returns what is not as the page says.
func runPage(t *testing.T, p page) []string {
	t.Helper()
	out, clone := t.TempDir(), clone(t)
	script := filepath.Join(out, "script")
	text := strings.ReplaceAll(shellScript(p), shownAddress, freeAddress(t))
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", script)
	cmd.Dir = clone
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "FLYTT_")
	}), "OUT="+out, "CLONE="+clone, "TMPDIR="+t.TempDir(), "FLYTT_KEY_DIR="+t.TempDir())
	if said, err := cmd.CombinedOutput(); err != nil {
		return []string{fmt.Sprintf("%s: %v\n%s", p.name, err, said)}
	}
	failed, err := os.ReadFile(filepath.Join(out, "failed"))
	if os.IsNotExist(err) {
		return differences(t, p, out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return append(differences(t, p, out), string(failed))
}

// shownAddress is where the pages have a sandbox listen. The tests take a free port.
const shownAddress = "127.0.0.1:8790"

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// clone returns a directory that has what the top of the repository has.
func clone(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, e := range entries {
		if err := os.Symlink(filepath.Join(root, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// shellScript returns the commands of p. What block i prints goes to the file $OUT/i, and
// the commands that fail to $OUT/failed.
func shellScript(p page) string {
	var s strings.Builder
	s.WriteString(prelude)
	for i, b := range p.blocks {
		switch {
		case b.runs():
			fmt.Fprintf(&s, "exec >\"$OUT/%d\" 2>&1 </dev/null\n", i)
			for _, c := range b.commands() {
				fmt.Fprintf(&s, "%s\ncode=$?; [ $code = %s ] || failed $code '%s:%d' %d\n", c.text, c.code, p.name, c.line, i)
			}
		case b.fileName() != "":
			fmt.Fprintf(&s, "cat >%s <<'END OF FILE'\n%s\nEND OF FILE\n", b.fileName(), strings.Join(b.lines, "\n"))
		}
	}
	return s.String()
}

func (b *block) runs() bool { return b.language == "sh" && !strings.HasPrefix(b.mark, "not run: ") }

// missingProgram returns a program that the blocks of p need and that is not here, or "".
func missingProgram(p page) string {
	for _, b := range p.blocks {
		if program, ok := strings.CutPrefix(b.mark, "needs: "); ok {
			if _, err := exec.LookPath(program); err != nil {
				return program
			}
		}
	}
	return ""
}

// isOutput tells whether b shows what the commands above it print.
func (b *block) isOutput() bool {
	return b.language == "text" && !strings.HasPrefix(b.mark, "not compared: ")
}

var fileComment = regexp.MustCompile(`^# (\w+\.yaml)$`)

// fileName returns the name of the file that b shows, or "".
func (b *block) fileName() string {
	if b.language != "yaml" || len(b.lines) == 0 {
		return ""
	}
	if m := fileComment.FindStringSubmatch(b.lines[0]); m != nil {
		return m[1]
	}
	return ""
}

// command is one command of a block, in one line or several.
type command struct {
	line int
	text string
	code string // that it has to exit with
}

func (b *block) commands() []command {
	var commands []command
	var text []string
	for i, line := range b.lines {
		text = append(text, line)
		if strings.HasSuffix(line, `\`) || strings.TrimSpace(line) == "" {
			continue
		}
		c := command{line: b.line + i, text: strings.Join(text, "\n"), code: "0"}
		if m := codeComment.FindStringSubmatch(line); m != nil {
			c.code = m[1]
		}
		if !strings.HasPrefix(line, "#") {
			commands = append(commands, c)
		}
		text = nil
	}
	return commands
}

// differences returns the blocks of output that the commands above them did not print.
func differences(t *testing.T, p page, out string) []string {
	t.Helper()
	var all []string
	ran := -1
	for i, b := range p.blocks {
		switch {
		case b.runs():
			ran = i
		case b.isOutput() && ran < 0:
			all = append(all, fmt.Sprintf("%s:%d: output of nothing; mark it as not compared", p.name, b.line))
		case b.isOutput():
			printed, err := os.ReadFile(filepath.Join(out, fmt.Sprint(ran)))
			if err != nil {
				t.Fatal(err)
			}
			if !holdsLines(string(printed), b.lines) {
				all = append(all, fmt.Sprintf("%s:%d: these lines are not what the commands print, which is\n%s", p.name, b.line, printed))
			}
		}
	}
	return all
}

// holdsLines tells whether lines stand in printed, one after the other.
func holdsLines(printed string, lines []string) bool {
	var pattern bytes.Buffer
	pattern.WriteString(`(?m)^`)
	for _, line := range lines {
		if strings.TrimSpace(line) == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		line = strings.ReplaceAll(regexp.QuoteMeta(strings.TrimRight(line, " ")), "…", ".*")
		pattern.WriteString(line + `[ \r]*\n`)
	}
	return regexp.MustCompile(pattern.String()).MatchString(printed + "\n")
}
