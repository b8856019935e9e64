package snapshot

import (
	"bytes"
	"context"
	"errors"

	"flytt/internal/api"
	"flytt/internal/api/list"
	"flytt/internal/dedup"
	"flytt/internal/jsonscan"
	"flytt/mappings"
)

// The kinds of texts that are no trait of mappings.
const (
	kindID     = 0xff
	kindFolded = 0xfe // a key as api.FoldKey returns it
)

// copy reads all records and keeps them in files.
func (s *Snapshot) copy(ctx context.Context, rows *list.Rows, o Options) (err error) {
	if s.spool, err = dedup.NewSpool(o.Dir); err != nil {
		return err
	}
	c := copier{snapshot: s, fields: traitFields(o.Resource, o.Key), sorter: dedup.NewSorter(o.Dir, dedup.MemoryRecords)}
	defer func() { err = errors.Join(err, c.sorter.Close()) }()
	err = s.count(ctx, rows, c.add)
	if err = errors.Join(err, s.spool.Flush()); err != nil {
		return err
	}
	s.index, err = dedup.NewIndex(c.sorter, o.Dir)
	return err
}

// traitFields returns the names of the fields that records of r have their traits in, empty
// where they have none, by trait.
func traitFields(r *mappings.Resource, key string) (names [mappings.MatchFieldCount]string) {
	for t := range mappings.MatchField(mappings.MatchFieldCount) {
		if f := r.FieldForMatch(t, key); f != nil {
			names[t] = f.Name
		}
	}
	return names
}

// copier keeps records and notes what they are found by.
type copier struct {
	snapshot *Snapshot
	fields   [mappings.MatchFieldCount]string
	sorter   *dedup.Sorter

	records []dedup.Record // buffer: of the record that is being added
	text    []byte         // buffer
}

func (c *copier) add(record []byte) error {
	at, err := c.snapshot.spool.Append(record)
	if err != nil {
		return err
	}
	c.records = c.records[:0]
	c.note(kindID, AppendID(c.text[:0], jsonscan.Text(jsonscan.Member(record, "id"))))
	for t, field := range c.fields {
		if field == "" {
			continue
		}
		if v := jsonscan.Member(record, field); v.Kind() == '"' {
			c.note(uint8(t), mappings.MatchField(t).AppendComparable(c.text[:0], jsonscan.Text(v)))
		}
	}
	c.noteKey(jsonscan.Text(jsonscan.Member(record, c.fields[mappings.MatchKey])))
	for i := range c.records {
		c.records[i].Row, c.records[i].Tag = at, uint64(len(record))
	}
	return c.sorter.Add(c.records)
}

// noteKey notes what a record is found by if its key is asked for in another form.
func (c *copier) noteKey(key []byte) {
	if canary := c.snapshot.canary; api.Lookupable(key) && (canary == "" || !api.Joinable(canary)) {
		c.snapshot.canary = string(key)
	}
	c.note(kindFolded, append(c.text[:0], api.FoldKey(string(key))...))
}

// note notes that the record has text, which is in the buffer, if it is not empty.
func (c *copier) note(kind uint8, text []byte) {
	if c.text = text; len(text) > 0 {
		c.records = append(c.records, c.snapshot.hasher.Record(kind, text))
	}
}

// AppendID appends id in the form in which ids are compared.
func AppendID(dst, id []byte) []byte { return append(dst, bytes.ToLower(bytes.TrimSpace(id))...) }
