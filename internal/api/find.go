package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
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
	// Unique says that no two records have the same key, so that reading ends when
	// every key is found.
	Unique bool
}

// Record is one record that was read back.
type Record struct {
	ID     string
	Key    string // as it is stored: there may be white space around the key asked for
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
// record has is not among them. A record whose key is stored with white space
// around it is that of the key without, unless it is asked for by itself. In
// requests that keep the URL short it reads pages until an empty one, or until
// nothing can be left to find. Reads are repeated a few times where that can
// help. An error, ErrBlind among them, means that nothing is known of any key.
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
	p := pageReader{finder: f, asked: make(map[string]bool, len(keys)), met: map[string]bool{}, seen: f.Control == ""}
	for _, key := range keys {
		p.asked[key] = true
	}
	names := keys
	if f.Control != "" && !p.asked[f.Control] {
		names = append(keys[:len(keys):len(keys)], f.Control)
	}
	for page := 1; p.strangers <= maxStrangers && page <= 2*len(names)+10; page++ {
		objects, err := f.page(ctx, names, page)
		switch {
		case err != nil:
			return err
		case len(objects) == 0:
			return p.end()
		}
		fresh := p.keep(objects)
		switch {
		case fresh == 0:
			return p.repeated(ctx, page)
		case p.complete(page, len(objects)):
			return p.end()
		}
	}
	return fmt.Errorf("GET %s: more records than can have the keys asked for; the filter or the paging has no effect", f.Path)
}

// pageReader takes in the pages of one slice of keys.
type pageReader struct {
	*finder
	asked     map[string]bool
	met       map[string]bool // objects by id, or whole where they have none
	seen      bool            // the control
	strangers int             // records of other keys
}

// missing returns the keys that were asked for and not found.
func (p *pageReader) missing() (keys []string) {
	for key := range p.asked {
		if len(p.found[key]) == 0 {
			keys = append(keys, key)
		}
	}
	return keys
}

// complete reports whether a page of n objects leaves nothing to find. Where a
// key may have several records a first page does that is neither full nor of a
// length that servers like to cut pages to (10, 25, 100), or one that is longer
// than was asked for.
func (p *pageReader) complete(page, n int) bool {
	if page == 1 && n > pageSize {
		return true
	}
	if !p.seen || p.strangers > 0 || len(p.missing()) > 0 {
		return false
	}
	return p.Unique || page == 1 && n < pageSize && n%5 != 0
}

// end ends the reading: what was not found is absent, unless the answer is not
// to be believed.
func (p *pageReader) end() error {
	switch {
	case !p.seen:
		return fmt.Errorf("GET %s: %w", p.Path, ErrBlind)
	case p.strangers > 0 && len(p.missing()) > 0:
		return fmt.Errorf("GET %s: %w", p.Path, errStrangers)
	}
	return nil
}

// repeated ends the reading of a list that shows nothing new on another page. If
// it does not know pages, all there is was on the first. If it cuts its answers
// all the same, keys that were not found are shown once they are asked for
// without the others.
func (p *pageReader) repeated(ctx context.Context, page int) error {
	if rest := p.missing(); len(rest) > 0 {
		objects, err := p.page(ctx, rest, 1)
		if err != nil {
			return err
		}
		if len(objects) > 0 {
			return fmt.Errorf("GET %s: page %d is the page before it again", p.Path, page)
		}
	}
	return p.end()
}

// keep keeps those of objects that have a key asked for, each record once: it
// may be on two pages if records came or went between them. It returns how many
// were not met before.
func (p *pageReader) keep(objects [][]byte) (fresh int) {
	for _, object := range objects {
		stored := string(keyOf(object, p.Field))
		p.seen = p.seen || stored == p.Control
		record := Record{ID: string(jsonscan.Text(jsonscan.Member(object, "id"))), Key: stored, Object: object}
		name := cmp.Or(record.ID, string(object))
		if p.met[name] {
			continue
		}
		p.met[name] = true
		fresh++
		key := stored
		if !p.asked[key] {
			key = strings.TrimSpace(stored)
		}
		switch {
		case p.asked[key]:
			p.found[key] = append(p.found[key], record)
		case stored != p.Control || stored == "":
			p.strangers++
		}
	}
	return fresh
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
