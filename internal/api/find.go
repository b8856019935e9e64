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

	"github.com/go-json-experiment/json/jsontext"
)

// Lookup asks for the records whose Field is one of Keys.
type Lookup struct {
	Path  string // of the list, ending in a slash
	Field string
	Keys  []string // each Lookupable
	// Canary is the key of a record that is known to exist. Every request asks for it
	// too, or it is asked for right before and after a request that has room for one
	// key only. An answer that does not show the canary is not trusted.
	Canary string
	// Unique says that no two records have the same key, so that reading can stop when
	// every key is found.
	Unique bool
}

// Record is one record that was read back.
type Record struct {
	ID     string
	Key    string // as it is stored; it may have white space that the key asked for does not have
	Object jsontext.Value
}

// Found is what a list shows for one key.
type Found struct {
	Records []Record // that have the key
	// OtherForms are records that have the key in another form: see FoldKey. A list
	// that shows them for the key treats the two as equal.
	OtherForms []Record
}

// ErrCanaryMissing says that the list does not show a record that is known to exist, so
// that other records it does not show may exist too.
var ErrCanaryMissing = errors.New("the list does not show a record that is known to be there")

// errUnrelatedRecords says that a key that was not found may exist all the same: the
// list shows records with keys that nobody asked for.
var errUnrelatedRecords = errors.New("the list shows records of other keys than those asked for")

const (
	maxURL       = 2000 // bytes; proxies and servers have limits not far above
	maxKeyLength = 256
	maxBatch     = 100 // keys asked for at a time, well within a page
	pageSize     = 500
	maxUnrelated = 100 // records with other keys in one batch; with more, the filter has no effect
)

// Lookupable reports whether a list can be asked for key: it is not empty or very long,
// and has nothing that a server may trim or refuse.
func Lookupable(key []byte) bool {
	if len(key) == 0 || len(key) > maxKeyLength || !utf8.Valid(key) {
		return false
	}
	return !bytes.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7F }) &&
		len(bytes.TrimSpace(key)) == len(key)
}

// Joinable reports whether a request can ask for key together with other keys: it has
// no comma, which separates them.
func Joinable(key string) bool { return !strings.Contains(key, ",") }

// FindByKeys returns what the list shows for the keys that l asks for; a key for which
// it shows nothing is not in the map. A record whose key is stored with white space
// around it counts for the key without, unless that form is asked for by itself.
// Requests keep the URL short. Pages are read until an empty one, or until there is
// nothing left to find. Keys that are not Joinable are asked for one at a time. Reads
// are repeated a few times where that can help. An error, ErrCanaryMissing included,
// means that nothing is known about any key.
func (c *Client) FindByKeys(ctx context.Context, l Lookup) (map[string]Found, error) {
	f := finder{client: c, Lookup: l, found: make(map[string]Found, len(l.Keys))}
	if err := f.findAll(ctx); err != nil {
		return nil, err
	}
	return f.found, nil
}

type finder struct {
	Lookup
	client *Client
	found  map[string]Found
}

// findAll asks for all keys. A request for a single key has no room for the canary,
// which is therefore checked before and after it. A key that was not shown is asked for
// once more, because a list may fail for the time of one request.
func (f *finder) findAll(ctx context.Context) error {
	joinable, alone := f.partition()
	canary := f.Canary
	if !Joinable(canary) {
		canary = ""
	}
	apart := f.Canary != "" && (len(alone) > 0 || canary == "")
	if apart {
		if err := f.checkCanary(ctx); err != nil {
			return err
		}
	}
	if err := f.findBatched(ctx, joinable, canary); err != nil {
		return err
	}
	if err := f.findOneByOne(ctx, alone); err != nil || !apart {
		return err
	}
	if err := f.checkCanary(ctx); err != nil {
		return err
	}
	return f.findOneByOne(ctx, f.missing(alone))
}

// findOneByOne asks for the keys, each in a request of its own.
func (f *finder) findOneByOne(ctx context.Context, keys []string) error {
	for _, key := range keys {
		if f.tooLong(key) {
			return f.keyTooLong()
		}
		if err := f.read(ctx, keyQuery{keys: []string{key}, single: true}); err != nil {
			return err
		}
	}
	return nil
}

// missing returns those keys for which nothing was found.
func (f *finder) missing(keys []string) []string {
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { _, shown := f.found[key]; return shown })
}

// partition splits the keys into those that can share a request with the canary, and
// the others: keys with a comma, and other forms of the canary's key, for which the
// record of the canary may be shown.
func (f *finder) partition() (joinable, alone []string) {
	canary := formOf(f.Canary)
	for _, key := range f.Keys {
		if !Joinable(key) || f.Canary != "" && formOf(key).confusable(canary) {
			alone = append(alone, key)
		} else {
			joinable = append(joinable, key)
		}
	}
	return joinable, alone
}

// keyForm is what decides whether two keys can be confused.
type keyForm struct{ folded, trimmed string }

func formOf(key string) keyForm { return keyForm{FoldKey(key), strings.TrimSpace(key)} }

// confusable reports whether, in one request for both keys, the record of one may be
// taken for another form of the other.
func (f keyForm) confusable(g keyForm) bool { return f.folded == g.folded && f.trimmed != g.trimmed }

// checkCanary asks for the canary alone. It returns ErrCanaryMissing if the list does
// not show it.
func (f *finder) checkCanary(ctx context.Context) error {
	g := finder{client: f.client, Lookup: f.Lookup, found: map[string]Found{}}
	return g.read(ctx, keyQuery{keys: []string{f.Canary}, canary: f.Canary, single: true})
}

// findBatched asks for the keys, many in each request.
func (f *finder) findBatched(ctx context.Context, keys []string, canary string) error {
	for len(keys) > 0 {
		var now []string
		now, keys = f.nextBatch(keys, canary)
		if len(now) == 0 {
			return f.keyTooLong()
		}
		if err := f.read(ctx, keyQuery{keys: now, canary: canary}); err != nil {
			return err
		}
	}
	return nil
}

func (f *finder) keyTooLong() error {
	return fmt.Errorf("GET %s: a key that is too long to be asked for", f.Path)
}

// overhead returns the length of a URL without its keys.
func (f *finder) overhead() int { return len(f.client.base.Host) + len(f.Path) + 3*len(f.Field) + 100 }

// tooLong reports whether a URL has no room even for key alone.
func (f *finder) tooLong(key string) bool {
	return f.overhead()+len(url.QueryEscape(key)) > maxURL
}

// nextBatch splits keys into those that the next request asks for and the rest. Keys
// that can be confused are never in the same request.
func (f *finder) nextBatch(keys []string, canary string) (now, later []string) {
	size := f.overhead() + len(url.QueryEscape(canary))
	taken := make(map[string]string, min(len(keys), maxBatch)) // by the folded form: the trimmed one
	for i, key := range keys {
		of := formOf(key)
		if trimmed, ok := taken[of.folded]; ok && trimmed != of.trimmed {
			later = append(later, key)
			continue
		}
		size += len(url.QueryEscape(key)) + len("%2C")
		if size > maxURL || len(now) == maxBatch {
			return now, append(later, keys[i:]...)
		}
		taken[of.folded] = of.trimmed
		now = append(now, key)
	}
	return now, later
}

// keyQuery is what one request, and each of its pages, asks for.
type keyQuery struct {
	keys   []string
	canary string // the answer has to show it; empty: nothing
	single bool   // there is one key, and the filter is for equality
}

func (q *keyQuery) filterKeys() []string {
	if q.canary == "" || slices.Contains(q.keys, q.canary) {
		return q.keys
	}
	return append(q.keys[:len(q.keys):len(q.keys)], q.canary)
}

// read reads all pages of the records that q asks for.
func (f *finder) read(ctx context.Context, q keyQuery) error {
	p := newPageReader(f, q)
	names := q.filterKeys()
	for page := 1; p.unrelated <= maxUnrelated && page <= 2*len(names)+10; page++ {
		objects, err := f.page(ctx, names, q.single, page)
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

// page reads one page; an empty one is the end.
func (f *finder) page(ctx context.Context, keys []string, alone bool, number int) ([][]byte, error) {
	filter := f.Field + "__in"
	if alone {
		filter = f.Field
	}
	a := PageRequest{Path: f.Path, Page: number, Size: pageSize, Query: url.Values{
		filter:      {strings.Join(keys, ",")},
		"_order_by": {f.Field},
	}}
	var p Page
	if err := f.client.Fetch(ctx, &a, &p, ""); err != nil {
		return nil, err
	}
	objects := make([][]byte, len(p.Objects))
	for i := range objects {
		objects[i] = p.Object(i)
	}
	return objects, nil
}

// anySize is how many records AnyKey reads to find one with a key.
const anySize = 20

// AnyKey returns the key of some record of the list at path that can be looked up, if
// possible together with others. It returns ErrCanaryMissing if the list shows none.
func (c *Client) AnyKey(ctx context.Context, path, field string) (string, error) {
	a := PageRequest{Path: path, Page: 1, Size: anySize}
	var p Page
	if err := c.Fetch(ctx, &a, &p, ""); err != nil {
		return "", err
	}
	any := ""
	for i := range p.Objects {
		key := keyOf(p.Object(i), field)
		switch {
		case !Lookupable(key):
		case Joinable(string(key)):
			return string(key), nil
		case any == "":
			any = string(key)
		}
	}
	if any == "" {
		return "", fmt.Errorf("GET %s: %w", path, ErrCanaryMissing)
	}
	return any, nil
}

// FindSimilar returns records that may have the only key of l in another form: those
// that contain one of parts, regardless of case, as far as one page shows them. The
// parts are put into the URL, so they must not be private.
func (c *Client) FindSimilar(ctx context.Context, l Lookup, parts []string) (records []Record, err error) {
	for _, part := range parts {
		a := PageRequest{Path: l.Path, Page: 1, Size: pageSize, Query: url.Values{l.Field + "__icontains": {part}, "_order_by": {l.Field}}}
		var p Page
		if err := c.Fetch(ctx, &a, &p, ""); err != nil {
			return nil, err
		}
		for i := range p.Objects {
			object := p.Object(i)
			records = append(records, Record{ID: idOf(object), Key: string(keyOf(object, l.Field)), Object: object})
		}
	}
	return records, nil
}
