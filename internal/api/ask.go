package api

import (
	"bytes"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ask is one request to a list.
type ask struct {
	list *List
	// extra are filters and an order of the reader's own. One that the list has
	// too, under the same name, takes its place: bounds of a reading are found
	// within those of its list, and are never the wider ones.
	extra url.Values
	page  int // from 1
	size  int // of a page; 0: ask for everything at once
	slim  bool
	jsonl bool
}

// query returns the query string. Equal asks have equal ones.
func (a *ask) query() string {
	q := maps.Clone(a.list.query)
	maps.Copy(q, a.extra)
	if a.size > 0 {
		q.Set("_page", strconv.Itoa(a.page))
		q.Set("_page_size", strconv.Itoa(a.size))
	}
	for name, wanted := range map[string]bool{"_slim": a.slim, "_jsonl": a.jsonl} {
		if wanted && a.list.takes("", name) == nil {
			q.Set(name, "true")
		}
	}
	return q.Encode()
}

// page is what came for an ask. It is reused: its buffers stay.
type page struct {
	data    []byte // the objects, one after another, with nothing between them
	objects []object
	date    time.Time // the server's clock when it answered; zero if it does not tell
	status  int
	missing bool // 404 in place of a page after the first: the end
}

func (p *page) reset() {
	*p = page{data: p.data[:0], objects: p.objects[:0]}
}

// object is where an object, and what a reader needs of it, lies in page.data.
type object struct {
	start, end     uint32
	idStart, idEnd uint32 // the characters of its id, as they were written; equal: it has none
	created        int64  // its moment of creation in ns of Unix time; noTime if it has none
	createdUnit    int64  // ns of the unit that created is told in: 1e9, 1e6, 1e3 or 1
}

// noTime is the moment of what has none.
const noTime = math.MinInt64

func (p *page) object(i int) []byte { return p.data[p.objects[i].start:p.objects[i].end] }

func (p *page) id(i int) []byte { return p.data[p.objects[i].idStart:p.objects[i].idEnd] }

// maxNamed bounds how much of the body of a refusal is looked through.
const maxNamed = 64 << 10

// named returns which of the parameters asked for the body of a refusal names,
// sorted. Nothing else of it is shown: it may quote a value.
func (a *ask) named(body []byte) []string {
	body = body[:min(len(body), maxNamed)]
	q, _ := url.ParseQuery(a.query())
	var names []string
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if containsWord(body, strings.TrimSuffix(name, "!")) {
			names = append(names, strings.TrimSuffix(name, "!"))
		}
	}
	return slices.Compact(names)
}

// containsWord reports whether word stands in text, and not within a longer
// name.
func containsWord(text []byte, word string) bool {
	for {
		i := bytes.Index(text, []byte(word))
		if i < 0 {
			return false
		}
		end := i + len(word)
		if (i == 0 || !nameByte(text[i-1])) && (end == len(text) || !nameByte(text[end])) {
			return true
		}
		text = text[end:]
	}
}

func nameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
