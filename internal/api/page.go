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

// PageRequest asks for one page of a list.
type PageRequest struct {
	Path    string     // of the list
	Query   url.Values // filters, an order, a search, and whatever else is asked for
	Page    int        // from 1
	Size    int        // of a page; 0: ask for everything at once
	IDsOnly bool       // Query asks for ids only: an id may come in place of its object
}

// query returns the query string. Equal requests have equal ones.
func (r *PageRequest) query() string {
	q := url.Values{}
	maps.Copy(q, r.Query)
	if r.Size > 0 {
		q.Set("_page", strconv.Itoa(r.Page))
		q.Set("_page_size", strconv.Itoa(r.Size))
	}
	return q.Encode()
}

// Page is the answer to a PageRequest. It is reused with its buffers.
type Page struct {
	Data    []byte // the objects, one after another, with nothing between them
	Objects []Object
	Date    time.Time // the server's clock when it answered; zero if it does not tell
}

// Reset empties p.
func (p *Page) Reset() {
	*p = Page{Data: p.Data[:0], Objects: p.Objects[:0]}
}

// Object is where an object lies in the Data of its Page, with its id and moment of
// creation.
type Object struct {
	Start, End     uint32
	IDStart, IDEnd uint32 // the characters of its id, as they were written; equal: it has none
	Created        int64  // the moment of creation in ns of Unix time; NoTime if it has none
	CreatedUnit    int64  // ns of the smallest unit of Created as the API writes it: 1e9, 1e6, 1e3 or 1
}

// NoTime stands for a moment that is not known or does not exist.
const NoTime = math.MinInt64

// Object returns object i, which is good until the page is used again.
func (p *Page) Object(i int) []byte { return p.Data[p.Objects[i].Start:p.Objects[i].End] }

// ID returns the id of object i as it was written, without quotes; empty if it has
// none. It is good until the page is used again.
func (p *Page) ID(i int) []byte { return p.Data[p.Objects[i].IDStart:p.Objects[i].IDEnd] }

// maxBlamedBody bounds how much of the body of a refusal is searched.
const maxBlamedBody = 64 << 10

// blamedParameters returns which of the parameters of r the body of a refusal names,
// sorted. Nothing else of the body is shown: it may quote a value.
func (r *PageRequest) blamedParameters(body []byte) []string {
	body = body[:min(len(body), maxBlamedBody)]
	q, _ := url.ParseQuery(r.query())
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
