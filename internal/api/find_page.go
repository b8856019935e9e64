package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/jsonscan"
)

// pageReader reads the pages of one key query.
type pageReader struct {
	*finder
	keyQuery
	asked       map[string]bool
	byForm      map[string][]string // the keys asked for, by their folded form
	seenRecords map[string]bool     // by id, or by their whole text if they have none
	canarySeen  bool                // a record with the key of the canary was shown
	unrelated   int                 // records with keys that nobody asked for
}

func newPageReader(f *finder, q keyQuery) *pageReader {
	p := pageReader{finder: f, keyQuery: q, asked: make(map[string]bool, len(q.keys)),
		byForm: make(map[string][]string, len(q.keys)), seenRecords: map[string]bool{}, canarySeen: q.canary == ""}
	for _, key := range q.keys {
		if !p.asked[key] {
			p.asked[key] = true
			folded := FoldKey(key)
			p.byForm[folded] = append(p.byForm[folded], key)
		}
	}
	return &p
}

// absent returns the keys for which nothing was found, and those for which only other
// forms were.
func (p *pageReader) absent() (none, near []string) {
	for key := range p.asked {
		switch of := p.found[key]; {
		case len(of.Records) > 0:
		case len(of.OtherForms) > 0:
			near = append(near, key)
		default:
			none = append(none, key)
		}
	}
	return none, near
}

// complete reports whether nothing is left to find after a page of n objects. Where a
// key may have several records, that is so if the first page is neither full nor of a
// length to which servers like to cut pages (10, 25, 100), or if it is longer than was
// asked for.
func (p *pageReader) complete(page, n int) bool {
	if page == 1 && n > pageSize {
		return true
	}
	none, near := p.absent()
	if !p.canarySeen || p.unrelated > 0 || len(none) > 0 {
		return false
	}
	return p.Unique && len(near) == 0 || page == 1 && n < pageSize && n%5 != 0
}

// end ends the reading: what was not found is absent, unless the answer cannot be
// trusted.
func (p *pageReader) end() error {
	none, _ := p.absent()
	switch {
	case !p.canarySeen:
		return fmt.Errorf("GET %s: %w", p.Path, ErrCanaryMissing)
	case p.unrelated > 0 && len(none) > 0:
		return fmt.Errorf("GET %s: %w", p.Path, errUnrelatedRecords)
	}
	return nil
}

// repeated ends the reading of a list whose next page shows nothing new. If the server
// ignores paging, the first page had everything. If it also cuts its answers, records
// of keys that were not found appear once these are asked for without the others.
func (p *pageReader) repeated(ctx context.Context, page int) error {
	none, near := p.absent()
	if rest := append(none, near...); len(rest) > 0 {
		objects, err := p.page(ctx, rest, p.single, 1)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(objects, func(object []byte) bool { return !p.seenRecords[recordIdentity(object)] }) {
			return fmt.Errorf("GET %s: page %d is the page before it again", p.Path, page)
		}
	}
	return p.end()
}

// keep collects the objects that have a key asked for, each record once: a record may
// be on two pages if others were added or deleted between them. It returns how many
// were new.
func (p *pageReader) keep(objects [][]byte) (fresh int) {
	for _, object := range objects {
		stored := string(keyOf(object, p.Field))
		p.canarySeen = p.canarySeen || stored == p.canary
		if name := recordIdentity(object); !p.seenRecords[name] {
			p.seenRecords[name] = true
			fresh++
			p.assign(Record{ID: idOf(object), Key: stored, Object: object})
		}
	}
	return fresh
}

// assign adds the record to the keys that it matches.
func (p *pageReader) assign(record Record) {
	key := record.Key
	if !p.asked[key] {
		key = strings.TrimSpace(record.Key)
	}
	if p.asked[key] {
		of := p.found[key]
		of.Records = append(of.Records, record)
		p.found[key] = of
		return
	}
	folded := FoldKey(record.Key)
	near := p.byForm[folded]
	if folded == "" || len(near) == 0 && folded != FoldKey(p.canary) {
		p.unrelated++
		return
	}
	for _, key := range near {
		of := p.found[key]
		of.OtherForms = append(of.OtherForms, record)
		p.found[key] = of
	}
}

// recordIdentity returns what distinguishes object from others: its id, or its text if
// it has none.
func recordIdentity(object []byte) string { return cmp.Or(idOf(object), string(object)) }

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

func idOf(object []byte) string { return string(jsonscan.Text(jsonscan.Member(object, "id"))) }
