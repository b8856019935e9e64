package main

import (
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestDocsLinksLeadSomewhere(t *testing.T) {
	pages := docsPages(t)
	for _, broken := range append(brokenLinks(repository, pages), missingFiles(repository, pages)...) {
		t.Error(broken)
	}
}

func TestDocsPagesAreLinkedFromTheReadme(t *testing.T) {
	pages := docsPages(t)
	readme := pages[slices.IndexFunc(pages, func(p page) bool { return p.name == "README.md" })]
	if readme.lines > 200 {
		t.Errorf("README.md has %d lines; at most 200 are a front door", readme.lines)
	}
	for _, p := range pages {
		if p.name != readme.name && !slices.Contains(readme.links(), p.name) {
			t.Errorf("README.md has no link to %s", p.name)
		}
	}
}

func TestDocsCommands(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip(err)
	}
	for _, p := range docsPages(t) {
		t.Run(strings.ReplaceAll(p.name, "/", "_"), func(t *testing.T) {
			if program := missingProgram(p); program != "" {
				t.Skipf("%s is not here", program)
			}
			for _, problem := range runPage(t, p) {
				t.Error(problem)
			}
		})
	}
}

// Every verb is in the table of the README, every flag is on some page, and the pages name
// no flag that no verb has.
func TestDocsNameEveryVerbAndFlag(t *testing.T) {
	text, readme := "", ""
	for _, p := range docsPages(t) {
		if p.name == "CHANGELOG.md" {
			continue
		}
		text += p.prose
		for _, b := range p.blocks {
			text += strings.Join(b.lines, "\n") + "\n"
		}
		if p.name == "README.md" {
			readme = p.prose
		}
	}
	flags := map[string]bool{}
	eachVerb((&app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}).root(), func(c *cobra.Command) {
		c.InitDefaultHelpFlag()
		c.Flags().VisitAll(func(f *pflag.Flag) { flags[f.Name] = true })
		if c.HasParent() && !c.Parent().HasParent() && c.Name() != "help" && !strings.Contains(readme, "`flytt "+c.Name()) {
			t.Errorf("README.md does not name the verb %s", c.Name())
		}
	})
	named := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?:^|[^\w-])--([a-z][a-z-]*)`).FindAllStringSubmatch(text, -1) {
		named[m[1]] = true
	}
	for name := range flags {
		if !named[name] && name != "help" {
			t.Errorf("no page names the flag --%s", name)
		}
	}
	for name := range named {
		if !flags[name] && !strings.HasPrefix(name, "retry") { // of curl
			t.Errorf("a page names the flag --%s, which no verb has", name)
		}
	}
}

func eachVerb(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, verb := range c.Commands() {
		eachVerb(verb, do)
	}
}

// Every package has its place on the page of the architecture.
func TestDocsNameEveryPackage(t *testing.T) {
	pages := docsPages(t)
	links := pages[slices.IndexFunc(pages, func(p page) bool { return p.name == "docs/architecture.md" })].links()
	seen := map[string]bool{}
	for _, name := range sourceNames(t) {
		dir := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(name)), repository)
		if !seen[dir] && !strings.Contains(dir, "testdata") && !slices.Contains(links, ".."+dir) {
			t.Errorf("docs/architecture.md has no link to ..%s", dir)
		}
		seen[dir] = true
	}
}

// Every environment variable that flytt reads is on the page of settings.
func TestDocsNameEveryVariable(t *testing.T) {
	settings, err := os.ReadFile(repository + "/docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range sourceNames(t) {
		if strings.HasPrefix(filepath.Base(name), "failpoint") { // they are for the soak alone
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"(FLYTT_[A-Z_]+)"`).FindAllStringSubmatch(string(text), -1) {
			found++
			if !strings.Contains(string(settings), "`"+m[1]+"`") {
				t.Errorf("docs/settings.md does not name %s, which %s reads", m[1], name)
			}
		}
	}
	if found == 0 {
		t.Error("no file reads a variable")
	}
}

// sourceNames returns the names of the Go files of the module that are not tests.
func sourceNames(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(repository, func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestDocsBrokenLinksAreFound(t *testing.T) {
	root := t.TempDir()
	texts := map[string]string{
		"README.md": "# Something\n",
		"docs/a.md": "# A `b` & c\n[to](b.md#y-1) [here](#a-b--c) `[no](link)`\n```sh\n[no](link)\n```\n[`x`](../README.md#nothing)\n[web](https://example.com)\n",
		"docs/b.md": "# y\n# y\n[missing](none.md) [second](#y-1) [third](#y-2) `docs/a.md` `docs/c.md`\n",
	}
	var pages []page
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(texts[name]), 0o600); err != nil {
			t.Fatal(err)
		}
		pages = append(pages, parsePage(name, texts[name]))
	}
	want := []string{
		"docs/a.md: there is no heading ../README.md#nothing",
		"docs/b.md: there is no file none.md",
		"docs/b.md: there is no heading #y-2",
	}
	if diff := cmp.Diff(want, brokenLinks(root, pages)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"docs/b.md: there is no docs/c.md"}, missingFiles(root, pages)); diff != "" {
		t.Error(diff)
	}
}

func TestDocsWrongBlocksAreFound(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip(err)
	}
	const good = "```sh\ncd \"$(mktemp -d)\"\n```\n```yaml\n# a.yaml\nb: c\n```\n" +
		"```sh\ncat a.yaml \\\n  a.yaml\n\n# A comment.\nfalse   # exit code 1: of course\nmake build\n```\n```text\nb: c\n…\nb…c\n```\n" +
		"<!-- not run: it fails -->\n```sh\nfalse\n```\n<!-- not compared: it differs -->\n```text\nx\n```\n"
	if got := runPage(t, parsePage("good.md", good)); len(got) != 0 {
		t.Errorf("problems of a good page: %q", got)
	}
	needy := "<!-- needs: bash -->\n```sh\n```\n<!-- needs: no-such-program -->\n```sh\n```\n"
	if got := missingProgram(parsePage("needy.md", needy)); got != "no-such-program" {
		t.Errorf("missing program: %q", got)
	}
	for _, test := range []struct{ name, text, want string }{
		{"a command that fails", "```sh\nfalse\n```\n", "bad.md:2: exit code 1"},
		{"a command that should fail", "```sh\n\ntrue   # exit code 3\n```\n", "bad.md:3: exit code 0"},
		{"an unknown target", "```sh\nmake nothing\n```\n", "bad.md:2: exit code 2"},
		{"other output", good + "```text\nb: d\n```\n", "bad.md:30: these lines"},
		{"lines with others between them", good + "```text\nb: c\nb: c\n```\n", "bad.md:30: these lines"},
		{"output of nothing", "```text\nx\n```\n", "bad.md:2: output of nothing"},
	} {
		got := runPage(t, parsePage("bad.md", test.text))
		if len(got) == 0 || !strings.HasPrefix(got[0], test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
