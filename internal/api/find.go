package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

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

const (
	maxURL       = 2000 // bytes; proxies and servers have limits not far above
	maxKeyLength = 256
	maxSlice     = 100 // keys asked for at a time, well within a page
	pageSize     = 500
	maxPages     = 10 // of one slice; more are no answer to so few keys
	readTries    = 4
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
	asked := make(map[string]bool, len(keys))
	for _, key := range keys {
		asked[key] = true
	}
	names := keys
	if f.Control != "" && !asked[f.Control] {
		names = append(keys[:len(keys):len(keys)], f.Control)
	}
	seen := f.Control == ""
	var first []byte
	for page := 1; page <= maxPages; page++ {
		objects, err := f.page(ctx, names, page)
		if err != nil {
			return err
		}
		if len(objects) == 0 {
			if !seen {
				return fmt.Errorf("GET %s: %w", f.Path, ErrBlind)
			}
			return nil
		}
		if bytes.Equal(objects[0], first) {
			return fmt.Errorf("GET %s: page %d is the page before it again", f.Path, page)
		}
		first = objects[0]
		for _, object := range objects {
			key := string(keyOf(object, f.Field))
			seen = seen || key == f.Control
			if asked[key] {
				record := Record{ID: string(text(member(object, "id"))), Object: object}
				f.found[key] = append(f.found[key], record)
			}
		}
	}
	return fmt.Errorf("GET %s: more than %d pages for %d keys; the filter has no effect", f.Path, maxPages, len(names))
}

func keyOf(object []byte, field string) []byte {
	v := jsontext.Value(object)
	for name := range strings.SplitSeq(field, ".") {
		if v.Kind() != '{' {
			break
		}
		v = member(v, name)
	}
	return text(v)
}

// page reads one page; none at all is the end.
func (f *finder) page(ctx context.Context, keys []string, page int) ([][]byte, error) {
	query := url.Values{
		f.Field + "__in": {strings.Join(keys, ",")},
		"_order_by":      {f.Field},
		"_page":          {strconv.Itoa(page)},
		"_page_size":     {strconv.Itoa(pageSize)},
	}
	o, err := f.client.read(ctx, f.Path, query.Encode())
	switch {
	case err != nil:
		return nil, err
	case o.Status == http.StatusNotFound && page > 1:
		return nil, nil
	case !o.OK():
		return nil, &StatusError{Method: http.MethodGet, Path: f.Path, Status: o.Status}
	}
	if len(bytes.TrimSpace(o.Body)) == 0 {
		return nil, nil // JSON Lines of no object
	}
	objects, err := listOf(nil, o.Body, 2*pageSize)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", f.Path, err)
	}
	return objects, nil
}

// read makes a GET, again where that can help: a read changes nothing.
func (c *Client) read(ctx context.Context, path, query string) (Outcome, error) {
	p := c.Patience(http.MethodGet, path)
	for try := 1; ; {
		o := c.attempt(ctx, &request{method: http.MethodGet, path: path, query: query})
		switch o.Class {
		case Answered:
			return o, nil
		case InDoubt:
			if try++; try > readTries {
				return o, fmt.Errorf("GET %s: %w", path, o.Err)
			}
			o.Class = NotSent
		}
		if err := p.Again(ctx, o); err != nil {
			return o, err
		}
	}
}
