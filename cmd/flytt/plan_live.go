package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"flytt/internal/api"
	"flytt/internal/api/list"
	"flytt/internal/dedup"
	"flytt/internal/jsonscan"
	"flytt/mappings"
	"flytt/pipeline"
)

// live is a copy of the records of a resource as the list showed them: the records
// one behind the other in one file, and in another, sorted by digest, where those
// are that have an id, a key or another trait. It is for concurrent use.
type live struct {
	seed    [sha256.Size]byte // of the digests; nobody keeps it
	records int64
	sum     sha256Sum
	account list.Account

	list     keyLister
	canary   string // the key of a record, to ask the list with; empty: no record has one
	keyField string
	fields   [mappings.Traits]string // in which records have the traits; empty: they have it not
	spool    *os.File
	index    *dedup.Index // where in spool the records are
}

// liveMark is what is kept of a live to tell whether records have changed.
type liveMark struct {
	Records int64  `json:"records"`
	SHA256  string `json:"sha256"` // the sum, modulo 2^256, of those of all records
}

// keyLister finds records in the list that a live is a copy of; an api.Client is one.
type keyLister interface {
	FindByKeys(ctx context.Context, l api.Lookup) (map[string]api.Found, error)
}

// kindID is the kind of digests of ids, kindFolded that of keys as api.FoldKey
// returns them; others are traits.
const (
	kindID     = 0xff
	kindFolded = 0xfe
)

// sha256Sum adds digests up, in whatever order they come.
type sha256Sum [4]uint64

func (s *sha256Sum) add(record []byte) {
	digest := sha256.Sum256(record)
	carry := uint64(0)
	for i := range s {
		d := binary.LittleEndian.Uint64(digest[8*i:])
		sum := s[i] + d
		over := sum < d
		sum += carry
		over = over || sum < carry
		if s[i] = sum; over {
			carry = 1
		} else {
			carry = 0
		}
	}
}

func (s *sha256Sum) String() string {
	var b [sha256.Size]byte
	for i := range s {
		binary.LittleEndian.PutUint64(b[8*i:], s[i])
	}
	return hex.EncodeToString(b[:])
}

// mark returns what tells whether the records have changed; nil if there are none
// to tell of.
func (l *live) mark() *liveMark {
	if l == nil {
		return nil
	}
	return &liveMark{Records: l.records, SHA256: l.sum.String()}
}

// readLive reads all records of the resource of j, in which key identifies them.
// With dir a copy is kept there, until it is closed.
func (j *job) readLive(ctx context.Context, dir string) (_ *live, err error) {
	ctx, stop := until(ctx, j.drain)
	defer stop()
	l := &live{keyField: j.plan.Key(), list: j.writing.client}
	rand.Read(l.seed[:]) // never fails
	for t := range mappings.Trait(mappings.Traits) {
		if f := j.resource.TraitField(t, l.keyField); f != nil {
			l.fields[t] = f.Name
		}
	}
	asked := listFlags{pageSize: defaultPageSize}
	query, err := asked.list(j.resource, j.settings)
	if err != nil {
		return nil, err
	}
	rows := list.Open(j.writing.client, query, asked.rowsOptions(j.resource, j.settings))
	if dir == "" {
		err = l.read(ctx, rows, func(record []byte) error { return nil })
	} else {
		err = l.copy(ctx, rows, dir)
	}
	l.account = rows.Account()
	if err = errors.Join(err, rows.Close()); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// read adds all records up and calls take with each.
func (l *live) read(ctx context.Context, rows *list.Rows, take func(record []byte) error) error {
	err := eachRecord(ctx, rows, func(record []byte) error {
		l.records++
		l.sum.add(record)
		return take(record)
	})
	if err != nil && ctx.Err() != nil {
		return pipeline.ErrInterrupted
	}
	return err
}

// eachRecord calls take with each record that rows reads.
func eachRecord(ctx context.Context, rows *list.Rows, take func(record []byte) error) error {
	var page []byte
	for {
		var err error
		page, _, err = rows.Next(ctx, page[:0])
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		for record := range bytes.Lines(page) {
			if record = bytes.TrimSpace(record); len(record) == 0 {
				continue
			}
			if err := take(record); err != nil {
				return err
			}
		}
	}
}

// copy reads all records and keeps them in dir.
func (l *live) copy(ctx context.Context, rows *list.Rows, dir string) (err error) {
	if l.spool, err = dedup.Nameless(dir); err != nil {
		return fmt.Errorf("copy of the records: %w", err)
	}
	sorter := dedup.NewSorter(dir, dedupRecords)
	defer func() { err = errors.Join(err, sorter.Close()) }()
	out := bufio.NewWriterSize(l.spool, 1<<16)
	at := int64(0)
	c := liveCopier{live: l, sorter: sorter}
	err = l.read(ctx, rows, func(record []byte) error {
		if _, err := out.Write(record); err != nil {
			return fmt.Errorf("copy of the records: %w", err)
		}
		defer func() { at += int64(len(record)) }()
		return c.note(record, at)
	})
	if err = errors.Join(err, out.Flush()); err != nil {
		return err
	}
	l.index, err = dedup.NewIndex(sorter, dir)
	return err
}

// liveCopier notes where records are.
type liveCopier struct {
	*live
	sorter  *dedup.Sorter
	records []dedup.Record // buffer
	text    []byte         // buffer
	trait   []byte         // buffer
}

// note notes that record is at some place in the copy.
func (c *liveCopier) note(record []byte, at int64) error {
	c.records = c.records[:0]
	c.trait = appendID(c.trait[:0], jsonscan.Text(jsonscan.Member(record, "id")))
	c.add(kindID, len(record), at)
	for t, field := range c.fields {
		if field == "" {
			continue
		}
		if v := jsonscan.Member(record, field); v.Kind() == '"' {
			c.trait = mappings.Trait(t).Append(c.trait[:0], jsonscan.Text(v))
			c.add(byte(t), len(record), at)
		}
	}
	c.noteKey(record, at)
	return c.sorter.Add(c.records)
}

// noteKey notes what record is found by if its key is asked for in another form.
func (c *liveCopier) noteKey(record []byte, at int64) {
	key := jsonscan.Text(jsonscan.Member(record, c.fields[mappings.Key]))
	if api.Lookupable(key) && (c.canary == "" || !api.Joinable(c.canary)) {
		c.canary = string(key)
	}
	c.trait = append(c.trait[:0], api.FoldKey(string(key))...)
	c.add(kindFolded, len(record), at)
}

func (c *liveCopier) add(kind byte, size int, at int64) {
	if len(c.trait) == 0 {
		return
	}
	r := dedup.Record{Row: at, Tag: uint64(size)}
	r.Hi, r.Lo, c.text = digest(c.text, &c.seed, kind, c.trait)
	c.records = append(c.records, r)
}

// appendID appends id as it is compared.
func appendID(dst, id []byte) []byte { return append(dst, bytes.ToLower(bytes.TrimSpace(id))...) }

// close removes the copy.
func (l *live) close() error {
	var errs []error
	if l.spool != nil {
		errs = append(errs, dedup.CloseNameless(l.spool))
	}
	if l.index != nil {
		errs = append(errs, l.index.Close())
	}
	l.spool, l.index = nil, nil
	return errors.Join(errs...)
}

// find calls yield with each record that has text, which is of some kind.
func (l *live) find(kind byte, text []byte, yield func(record []byte) error) error {
	hi, lo, _ := digest(nil, &l.seed, kind, text)
	for at, err := range l.index.Find(hi, lo) {
		if err != nil {
			return fmt.Errorf("copy of the records: %w", err)
		}
		record := make([]byte, at.Tag)
		if _, err := l.spool.ReadAt(record, at.Row); err != nil {
			return fmt.Errorf("copy of the records: %w", err)
		}
		if err := yield(record); err != nil {
			return err
		}
	}
	return nil
}

// FindByKeys returns the records that have the keys, or the ids, that look asks
// for, as api.Client does. Whether a record that has a key in another form is near to
// it only the list can tell, which may take the two for the same or not: it is asked.
func (l *live) FindByKeys(ctx context.Context, look api.Lookup) (map[string]api.Found, error) {
	asked := make(map[string]bool, len(look.Keys))
	for _, key := range look.Keys {
		asked[key] = true
	}
	found := make(map[string]api.Found, len(look.Keys))
	var unclear []string
	for key := range asked {
		records, err := l.recordsOf(look.Field, key, asked)
		if err != nil {
			return nil, err
		}
		if len(records) > 0 {
			found[key] = api.Found{Records: records}
			continue
		}
		folds, err := l.hasFolded(look.Field, key)
		if err != nil {
			return nil, err
		}
		if folds {
			unclear = append(unclear, key)
		}
	}
	return found, l.askFor(ctx, look, unclear, found)
}

// recordsOf returns the records that have key, or that id, where asked are all that are
// asked for.
func (l *live) recordsOf(field, key string, asked map[string]bool) (records []api.Record, err error) {
	kind, text := byte(mappings.Key), []byte(strings.TrimSpace(key))
	if field == "id" {
		kind, text = kindID, appendID(nil, []byte(key))
	}
	err = l.find(kind, text, func(record []byte) error {
		stored := string(jsonscan.Text(jsonscan.Member(record, field)))
		if kind == kindID || stored == key || strings.TrimSpace(stored) == key && !asked[stored] {
			records = append(records, api.Record{ID: idOfRecord(record), Key: stored, Object: record})
		}
		return nil
	})
	return records, err
}

// hasFolded reports whether a record has key in another form, which is not white space
// around it.
func (l *live) hasFolded(field, key string) (has bool, err error) {
	if field == "id" {
		return false, nil
	}
	err = l.find(kindFolded, []byte(api.FoldKey(key)), func(record []byte) error {
		stored := string(jsonscan.Text(jsonscan.Member(record, field)))
		has = has || strings.TrimSpace(stored) != strings.TrimSpace(key)
		return nil
	})
	return has, err
}

// FindSimilar returns the records whose key differs from the only one that look asks for in
// case, white space or Unicode form. Other forms, which api.Client finds by the parts, are
// not looked for.
func (l *live) FindSimilar(_ context.Context, look api.Lookup, _ []string) (records []api.Record, err error) {
	err = l.find(kindFolded, []byte(api.FoldKey(look.Keys[0])), func(record []byte) error {
		stored := string(jsonscan.Text(jsonscan.Member(record, look.Field)))
		records = append(records, api.Record{ID: idOfRecord(record), Key: stored, Object: record})
		return nil
	})
	return records, err
}

// askFor asks the list for keys, and adds to found what it shows of them.
func (l *live) askFor(ctx context.Context, look api.Lookup, keys []string, found map[string]api.Found) error {
	if len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	look.Keys, look.Canary = keys, l.canary
	shown, err := l.list.FindByKeys(ctx, look)
	if err != nil {
		return err
	}
	maps.Copy(found, shown)
	return nil
}

// Get returns the record with id, as api.Client does.
func (l *live) Get(_ context.Context, _, id string, _ []byte) (api.Outcome, error) {
	o := api.Outcome{Class: api.Answered, Status: 200}
	err := l.find(kindID, appendID(nil, []byte(id)), func(record []byte) error {
		o.Body = record
		return nil
	})
	if err == nil && o.Body == nil {
		err = api.ErrNotFound
	}
	return o, err
}

func idOfRecord(record []byte) string { return string(jsonscan.Text(jsonscan.Member(record, "id"))) }
