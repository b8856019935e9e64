// Package snapshot keeps a copy of all records of a resource as the list showed them at one
// time, however many there are. The copy is in files without a name, with an index by id, by
// key and by the other fields that rows are compared by. It answers the lookups that an import
// would send to the API, so that a plan needs no request for each row.
package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/bits"

	"flytt/internal/api"
	"flytt/internal/api/list"
	"flytt/internal/dedup"
	"flytt/mappings"
	"flytt/pipeline"
)

// Snapshot is a copy of records. It is for concurrent use once it has been read.
type Snapshot struct {
	records int64
	sum     sum
	account list.Account
	finder  KeyFinder
	canary  string // a key by which a list can prove that it finds keys; empty: no record has one

	hasher *dedup.Hasher
	spool  *dedup.Spool // the records; nil: none are kept
	index  *dedup.Index // where they are
}

// KeyFinder finds records in the list that a snapshot is a copy of; an api.Client is one.
type KeyFinder interface {
	FindByKeys(ctx context.Context, l api.Lookup) (map[string]api.Found, error)
}

// Options say what is kept of the records.
type Options struct {
	Resource *mappings.Resource // that the records are of
	Key      string             // the field that identifies them
	Finder   KeyFinder          // is asked for keys that only the list can compare
	Dir      string             // for the files; empty: nothing but Mark and Account is wanted
}

// Read reads rows to their end and closes them. The error is pipeline.ErrInterrupted if ctx ends.
func Read(ctx context.Context, rows *list.Rows, o Options) (*Snapshot, error) {
	s := &Snapshot{finder: o.Finder, hasher: dedup.NewHasher()}
	var err error
	if o.Dir == "" {
		err = s.count(ctx, rows, func([]byte) error { return nil })
	} else {
		err = s.copy(ctx, rows, o)
	}
	s.account = rows.Account()
	if err = errors.Join(err, rows.Close()); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// count counts and sums up all records and calls visit with each.
func (s *Snapshot) count(ctx context.Context, rows *list.Rows, visit func(record []byte) error) error {
	err := rows.Each(ctx, func(record []byte) error {
		s.records++
		s.sum.add(record)
		return visit(record)
	})
	if err != nil && ctx.Err() != nil {
		return pipeline.ErrInterrupted
	}
	return err
}

// Records returns how many there are.
func (s *Snapshot) Records() int64 { return s.records }

// Account says how the list was read.
func (s *Snapshot) Account() *list.Account { return &s.account }

// Close removes the files.
func (s *Snapshot) Close() error {
	var errs []error
	if s.spool != nil {
		errs = append(errs, s.spool.Close())
	}
	if s.index != nil {
		errs = append(errs, s.index.Close())
	}
	s.spool, s.index = nil, nil
	return errors.Join(errs...)
}

// Mark tells whether the records of two snapshots are the same.
type Mark struct {
	Records int64  `json:"records"`
	SHA256  string `json:"sha256"` // the sum, modulo 2^256, of those of all records
}

// Mark returns the mark of the records; nil if s is.
func (s *Snapshot) Mark() *Mark {
	if s == nil {
		return nil
	}
	return &Mark{Records: s.records, SHA256: s.sum.String()}
}

// sum adds SHA-256 digests up, in whatever order they come.
type sum [4]uint64

func (s *sum) add(record []byte) {
	digest := sha256.Sum256(record)
	carry := uint64(0)
	for i := range s {
		s[i], carry = bits.Add64(s[i], binary.LittleEndian.Uint64(digest[8*i:]), carry)
	}
}

// String returns the sum in hexadecimal.
func (s *sum) String() string {
	var b [sha256.Size]byte
	for i := range s {
		binary.LittleEndian.PutUint64(b[8*i:], s[i])
	}
	return hex.EncodeToString(b[:])
}
