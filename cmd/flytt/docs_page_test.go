package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const repository = "../.."

// page is a Markdown file of the documentation.
type page struct {
	name    string   // from the top of the repository, with slashes
	lines   int      // how many it has
	prose   string   // without the blocks
	anchors []string // of its headings
	blocks  []block
}

// block is a fenced block of a page. mark is the comment in the line above it, which
// no reader of the rendered page sees:
//
//	not run: REASON        commands that the tests do not run
//	needs: PROGRAM         commands that need PROGRAM; without it the tests skip the page
//	not compared: REASON   text that is not the output of the commands above it
type block struct {
	line     int // of its first line, from 1
	language string
	mark     string
	lines    []string
}

// docsPages reads every page.
func docsPages(t *testing.T) []page {
	t.Helper()
	names, err := filepath.Glob(repository + "/docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages := []page{}
	for _, name := range append(names, repository+"/README.md", repository+"/CHANGELOG.md", repository+"/samples/README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(repository, name)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, parsePage(filepath.ToSlash(rel), string(text)))
	}
	return pages
}

func parsePage(name, text string) page {
	p := page{name: name}
	var prose strings.Builder
	var open *block
	mark := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		p.lines++
		fence, language := strings.CutPrefix(line, "```")
		switch {
		case language && open == nil:
			open = &block{line: p.lines + 1, language: fence, mark: mark}
		case language:
			p.blocks = append(p.blocks, *open)
			open = nil
		case open != nil:
			open.lines = append(open.lines, line)
		default:
			prose.WriteString(line + "\n")
			p.addHeading(line)
		}
		mark = markOf(line)
	}
	p.prose = prose.String()
	return p
}

// markOf returns the text of a line that is a comment, or "".
func markOf(line string) string {
	inner, ok := strings.CutPrefix(line, "<!-- ")
	inner, closed := strings.CutSuffix(inner, " -->")
	if !ok || !closed {
		return ""
	}
	return inner
}

func (p *page) addHeading(line string) {
	if !strings.HasPrefix(line, "#") {
		return
	}
	anchor := anchorOf(strings.TrimSpace(strings.TrimLeft(line, "#")))
	unique := anchor
	for n := 1; slices.Contains(p.anchors, unique); n++ {
		unique = fmt.Sprintf("%s-%d", anchor, n)
	}
	p.anchors = append(p.anchors, unique)
}

// anchorOf returns the anchor that GitHub gives a heading: lower case, a hyphen for each
// space, and nothing but letters, digits, hyphens and underscores.
func anchorOf(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

var (
	codeSpan = regexp.MustCompile("`[^`]*`")
	linkTo   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// links returns the targets of p's links.
func (p *page) links() []string {
	var targets []string
	for _, m := range linkTo.FindAllStringSubmatch(codeSpan.ReplaceAllString(p.prose, ""), -1) {
		targets = append(targets, m[1])
	}
	return targets
}

var repositoryPath = regexp.MustCompile("`((?:cmd|docs|internal|mappings|pipeline|samples|sinks|sources)/[\\w./-]+)`")

// missingFiles returns the paths of the repository that pages name and that are not there.
func missingFiles(root string, pages []page) []string {
	var missing []string
	for _, p := range pages {
		for _, m := range repositoryPath.FindAllStringSubmatch(p.prose, -1) {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				missing = append(missing, p.name+": there is no "+m[1])
			}
		}
	}
	return missing
}

// brokenLinks returns the links of pages that lead to no file, or to no heading of a page.
func brokenLinks(root string, pages []page) []string {
	var broken []string
	for _, p := range pages {
		for _, link := range p.links() {
			if strings.HasPrefix(link, "https://") {
				continue
			}
			file, anchor, _ := strings.Cut(link, "#")
			target := p.name
			if file != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(p.name), file))
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				broken = append(broken, p.name+": there is no file "+link)
				continue
			}
			if anchor != "" && !hasAnchor(pages, target, anchor) {
				broken = append(broken, p.name+": there is no heading "+link)
			}
		}
	}
	return broken
}

func hasAnchor(pages []page, name, anchor string) bool {
	return slices.ContainsFunc(pages, func(p page) bool {
		return p.name == name && slices.Contains(p.anchors, anchor)
	})
}
