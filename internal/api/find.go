package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"flytt/internal/jsonscan"

	"github.com/go-json-experiment/json/jsontext"
)

// Lookup asks for the records whose Field is one of Keys.
type Lookup struct {
	Path  string // of the list, ending in a slash
	Field string
	Keys  []string // each Lookupable
	// Control is the key of a record that is known to be there. It is asked for in
	// every request, and an answer that does not show it is not believed.
	Control string
}

// Record is one record that was read back.
type Record struct {
	ID     string
	Object jsontext.Value
}

// ErrBlind says that the list does not show a record that is known to be there,
// so that what it does not show may be there too.
var ErrBlind = errors.New("the list does not show a record that is known to be there")

// errStrangers says that a key that was not found may be there in another form:
// the API may store and compare keys without regard to case or separators.
var errStrangers = errors.New("the list shows records of other keys than those asked for")

const (
	maxURL       = 2000 // bytes; proxies and servers have limits not far above
	maxKeyLength = 256
	maxSlice     = 100 // keys asked for at a time, well within a page
	pageSize     = 500
	maxStrangers = 100 // records of other keys in one slice: a filter that has no effect
)

// Lookupable reports whether key can be asked for in a list: it is not empty,
// and holds neither a comma, which separates keys, nor anything that a server
// may trim or refuse.
func Lookupable(key []byte) bool {
	if len(key) == 0 || len(key) > maxKeyLength || !utf8.Valid(key) {
		return false
	}
	return !bytes.ContainsFunc(key, func(r rune) bool { return r == ',' || r < ' ' || r == 0x7F }) &&
		len(bytes.TrimSpace(key)) == len(key)
}

// FindByKeys returns the records that l asks for, by their keys; a key that no
// record has is not among them. It reads every page until an empty one, in
// requests that keep the URL short. Reads are repeated a few times where that
// can help. An error, ErrBlind among them, means that nothing is known of any
// key.
func (c *Client) FindByKeys(ctx context.Context, l Lookup) (map[string][]Record, error) {
	f := finder{client: c, Lookup: l, found: make(map[string][]Record, len(l.Keys))}
	for keys := l.Keys; len(keys) > 0; {
		n := f.slice(keys)
		if n == 0 {
			return nil, fmt.Errorf("GET %s: a key that is too long to be asked for", l.Path)
		}
		if err := f.read(ctx, keys[:n]); err != nil {
			return nil, err
		}
		keys = keys[n:]
	}
	return f.found, nil
}

type finder struct {
	Lookup
	client *Client
	found  map[string][]Record
}

// slice returns how many of keys one URL has room for.
func (f *finder) slice(keys []string) int {
	size := len(f.client.base.Host) + len(f.Path) + 3*len(f.Field) + len(url.QueryEscape(f.Control)) + 100
	for n, key := range keys {
		size += len(url.QueryEscape(key)) + len("%2C")
		if size > maxURL || n == maxSlice {
			return n
		}
	}
	return len(keys)
}

// read reads all pages of the records that have one of keys.
func (f *finder) read(ctx context.Context, keys []string) error {
	p := pageReader{finder: f, asked: make(map[string]bool, len(keys)), seen: f.Control == ""}
	for _, key := range keys {
		p.asked[key] = true
	}
	names := keys
	if f.Control != "" && !p.asked[f.Control] {
		names = append(keys[:len(keys):len(keys)], f.Control)
	}
	var first []byte
	for page := 1; p.strangers <= maxStrangers && page <= 2*len(names)+10; page++ {
		objects, err := f.page(ctx, names, page)
		switch {
		case err != nil:
			return err
		case len(objects) == 0 && !p.seen:
			return fmt.Errorf("GET %s: %w", f.Path, ErrBlind)
		case len(objects) == 0 && p.strangers > 0 && p.missing():
			return fmt.Errorf("GET %s: %w", f.Path, errStrangers)
		case len(objects) == 0:
			return nil
		case bytes.Equal(objects[0], first):
			return fmt.Errorf("GET %s: page %d is the page before it again", f.Path, page)
		}
		first = objects[0]
		p.keep(objects)
	}
	return fmt.Errorf("GET %s: more records than can have the keys asked for; the filter or the paging has no effect", f.Path)
}

// pageReader takes in the pages of one slice of keys.
type pageReader struct {
	*finder
	asked     map[string]bool
	seen      bool // the control
	strangers int  // records of other keys
}

// missing reports whether a key that was asked for was not found.
func (p *pageReader) missing() bool {
	for key := range p.asked {
		if len(p.found[key]) == 0 {
			return true
		}
	}
	return false
}

// keep keeps those of objects that have a key asked for, each record once: it
// may be on two pages if records came or went between them.
func (p *pageReader) keep(objects [][]byte) {
	for _, object := range objects {
		key := string(keyOf(object, p.Field))
		p.seen = p.seen || key == p.Control
		if !p.asked[key] {
			if key != p.Control || key == "" {
				p.strangers++
			}
			continue
		}
		record := Record{ID: string(jsonscan.Text(jsonscan.Member(object, "id"))), Object: object}
		again := slices.ContainsFunc(p.found[key], func(r Record) bool { return r.ID != "" && r.ID == record.ID })
		if !again {
			p.found[key] = append(p.found[key], record)
		}
	}
}

func keyOf(object []byte, field string) []byte {
	v := jsontext.Value(object)
	for name := range strings.SplitSeq(field, ".") {
		if v.Kind() != '{' {
			break
		}
		v = jsonscan.Member(v, name)
	}
	return jsonscan.Text(v)
}

// page reads one page; none at all is the end.
func (f *finder) page(ctx context.Context, keys []string, number int) ([][]byte, error) {
	a := ask{list: NewList(f.Path, nil), page: number, size: pageSize, extra: url.Values{
		f.Field + "__in": {strings.Join(keys, ",")},
		"_order_by":      {f.Field},
	}}
	var p page
	if err := f.client.fetch(ctx, &a, &p, ""); err != nil {
		return nil, err
	}
	objects := make([][]byte, len(p.objects))
	for i := range objects {
		objects[i] = p.object(i)
	}
	return objects, nil
}
