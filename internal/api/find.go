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
	// Canary is the key of a record that is known to be there. It is asked for in
	// every request, or right before and after one that has room for one key only. An
	// answer that does not show it is not believed.
	Canary string
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

// Found is what a list shows of one key.
type Found struct {
	Records []Record // that have the key
	// OtherForms are records that have the key in another form: see FoldKey. The list shows
	// them when it is asked for the key, so that it takes the two for the same.
	OtherForms []Record
}

// ErrCanaryMissing says that the list does not show a record that is known to be there,
// so that what it does not show may be there too.
var ErrCanaryMissing = errors.New("the list does not show a record that is known to be there")

// errUnrelatedRecords says that a key that was not found may be there all the same: the
// list shows records of keys that are not even near to it.
var errUnrelatedRecords = errors.New("the list shows records of other keys than those asked for")

const (
	maxURL       = 2000 // bytes; proxies and servers have limits not far above
	maxKeyLength = 256
	maxBatch     = 100 // keys asked for at a time, well within a page
	pageSize     = 500
	maxUnrelated = 100 // records of other keys in one slice: a filter that has no effect
)

// Lookupable reports whether key can be asked for in a list: it is not empty or
// very long, and holds nothing that a server may trim or refuse.
func Lookupable(key []byte) bool {
	if len(key) == 0 || len(key) > maxKeyLength || !utf8.Valid(key) {
		return false
	}
	return !bytes.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7F }) &&
		len(bytes.TrimSpace(key)) == len(key)
}

// Joinable reports whether key can be asked for together with others: it has no
// comma, which separates them.
func Joinable(key string) bool { return !strings.Contains(key, ",") }

// FindByKeys returns what the list shows of the keys that l asks for; a key of which
// it shows nothing is not among them. A record whose key is stored with white space
// around it is that of the key without, unless it is asked for by itself. In
// requests that keep the URL short it reads pages until an empty one, or until
// nothing can be left to find. Keys that are not Joinable are asked for one at a
// time. Reads are repeated a few times where that can help. An error, ErrCanaryMissing among
// them, means that nothing is known of any key.
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

// findAll asks for all keys. An answer to a request for one key alone cannot show the
// control too: that is asked for before and after, and the key once more if it was not
// shown, as a list may be blind for the time of one request.
func (f *finder) findAll(ctx context.Context) error {
	joint, alone := f.partition()
	beside := f.Canary
	if !Joinable(beside) {
		beside = ""
	}
	apart := f.Canary != "" && (len(alone) > 0 || beside == "")
	if apart {
		if err := f.checkCanary(ctx); err != nil {
			return err
		}
	}
	if err := f.findBatched(ctx, joint, beside); err != nil {
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

// findOneByOne asks for keys, one at a time.
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

// missing returns those of keys of which nothing was shown.
func (f *finder) missing(keys []string) []string {
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { _, shown := f.found[key]; return shown })
}

// partition parts the keys into those that can be asked for together, with the control,
// and the others: keys with a comma, and those that are near to the control, which
// the answer shows whether or not the list takes the two for the same.
func (f *finder) partition() (joint, alone []string) {
	control := keyForm{FoldKey(f.Canary), strings.TrimSpace(f.Canary)}
	for _, key := range f.Keys {
		if !Joinable(key) || f.Canary != "" && formOf(key).confusable(control) {
			alone = append(alone, key)
		} else {
			joint = append(joint, key)
		}
	}
	return joint, alone
}

// keyForm is what two keys are compared by.
type keyForm struct{ folded, trimmed string }

func formOf(key string) keyForm { return keyForm{FoldKey(key), strings.TrimSpace(key)} }

// confusable reports whether the record of one key may be taken for a record that is
// near to the other, if both are asked for in one request.
func (f keyForm) confusable(g keyForm) bool { return f.folded == g.folded && f.trimmed != g.trimmed }

// checkCanary asks for the control alone; ErrCanaryMissing says that the list does not show
// it.
func (f *finder) checkCanary(ctx context.Context) error {
	g := finder{client: f.client, Lookup: f.Lookup, found: map[string]Found{}}
	return g.read(ctx, keyQuery{keys: []string{f.Canary}, canary: f.Canary, single: true})
}

// findBatched asks for keys, many at a time.
func (f *finder) findBatched(ctx context.Context, keys []string, control string) error {
	for len(keys) > 0 {
		var now []string
		now, keys = f.nextBatch(keys, control)
		if len(now) == 0 {
			return f.keyTooLong()
		}
		if err := f.read(ctx, keyQuery{keys: now, canary: control}); err != nil {
			return err
		}
	}
	return nil
}

func (f *finder) keyTooLong() error {
	return fmt.Errorf("GET %s: a key that is too long to be asked for", f.Path)
}

// overhead is how many bytes a URL has besides its keys.
func (f *finder) overhead() int { return len(f.client.base.Host) + len(f.Path) + 3*len(f.Field) + 100 }

// tooLong reports whether key does not fit into a URL by itself.
func (f *finder) tooLong(key string) bool {
	return f.overhead()+len(url.QueryEscape(key)) > maxURL
}

// nextBatch returns those of keys that one request asks for, as many as a URL has room
// for, and the others. Keys that may be confused are never in the same one.
func (f *finder) nextBatch(keys []string, control string) (now, later []string) {
	size := f.overhead() + len(url.QueryEscape(control))
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

// keyQuery is what one request asks for, and each of its pages.
type keyQuery struct {
	keys   []string
	canary string // which the answer has to show; empty: nothing
	single bool   // there is one key, and the filter is that of equal values
}

// filterKeys returns the keys that the filter has.
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

// page reads one page; none at all is the end.
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

// anySize is how many records are read to find one with a key.
const anySize = 20

// AnyKey returns the key of some record that the list at path shows: one whose
// field can be asked for, if possible together with others. ErrCanaryMissing says that it
// shows none.
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

// FindSimilar returns records whose field may hold the only key that l asks for in another form:
// those that contain one of parts, without regard to case, as far as a page shows them. The
// parts stand in the URL: they are of a key that may.
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
