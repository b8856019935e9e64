package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"flytt/internal/dedup"
	"flytt/internal/text"
	"flytt/mappings"
	"flytt/pipeline"
)

// How much memory the search for duplicates takes: records of 32 bytes.
const (
	dedupRecords = 1 << 20
	dedupRows    = 1 << 17
)

// duplicateInFile is the code of rows that are alike.
const duplicateInFile pipeline.Code = "duplicate_in_file"

var duplicateCodes = []pipeline.CodeInfo{
	{Code: duplicateInFile, Stage: pipeline.Validate, Severity: pipeline.Error,
		Meaning: "another row of the file is about the same record",
		Fix:     "Leave one row for each id and each key; --duplicates says what else may be repeated, and which row counts."},
}

// policy is what is done about rows that are alike.
type policy string

const (
	rejectAll policy = "reject" // none of them goes through
	keepFirst policy = "first"  // the first does
	keepLast  policy = "last"   // the last does
	allowAll  policy = "allow"  // all do, with a warning
)

// policyHint says how --duplicates is given.
const policyHint = "--duplicates reject, first, last or allow for everything, or for each: --duplicates key=first,ssn=reject,email=allow"

// duplicates is the search for rows of a file that are about the same record.
type duplicates struct {
	text     string // of the flag
	policies [mappings.Traits]policy

	reader *mappings.TraitReader // of the rows as they are sent
	table  *dedup.Table
}

func (d *duplicates) addFlag(c *cobra.Command) {
	c.Flags().StringVar(&d.text, "duplicates", "", "`POLICY` for rows of the file that are alike: reject all of them, let the first or the last through, or allow them with a warning; for all of key, ssn, org_no and email, or as key=first,email=allow (default: key=reject, the others allow)")
}

// parse reads the flag.
func (d *duplicates) parse() error {
	if d == nil {
		return nil
	}
	d.policies = [mappings.Traits]policy{rejectAll, allowAll, allowAll, allowAll}
	for part := range strings.SplitSeq(d.text, ",") {
		name, value, single := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case d.text == "":
			return nil
		case !single && strings.Contains(d.text, ","):
			return usagef(policyHint, "--duplicates %s: %s says not of what", d.text, name)
		case !single:
			value = name
		}
		p := policy(value)
		if p != rejectAll && p != keepFirst && p != keepLast && p != allowAll {
			return usagef(policyHint, "--duplicates %s: %s is no policy", d.text, value)
		}
		trait, known := mappings.ParseTrait(name)
		switch {
		case !single:
			d.policies = [mappings.Traits]policy{p, p, p, p}
		case !known:
			return usagef(policyHint, "--duplicates %s: rows are told to be alike by key, ssn, org_no and email, not by %s", d.text, name)
		default:
			d.policies[trait] = p
		}
	}
	return nil
}

// chooses reports whether a policy lets one of several rows through: that has to
// be one that can go through.
func (d *duplicates) chooses() bool {
	for _, p := range d.policies {
		if p == keepFirst || p == keepLast {
			return true
		}
	}
	return false
}

// findDuplicates reads the input once, before anything is sent, and finds rows
// that are alike. What it compares are digests with a key that nobody keeps.
func (j *job) findDuplicates(ctx context.Context) (err error) {
	d := j.duplicates
	only := j.identityMapping()
	if d == nil || only == nil {
		return nil
	}
	if err := j.removeSorted(); err != nil {
		return err
	}
	sorter := dedup.NewSorter(j.dir.Path, dedupRecords)
	defer func() { err = errors.Join(err, sorter.Close()) }()
	if err := j.collect(ctx, only, sorter); err != nil {
		return err
	}
	if d.table, err = dedup.Find(sorter, j.dir.Path, dedupRows); err != nil {
		return err
	}
	j.closers = append(j.closers, d.table.Close)
	d.reader = j.plan.TraitReader(j.resource, j.change.byRecord())
	j.log.Debug("duplicates searched", "rows", d.table.Len())
	return j.reopen()
}

// identityMapping returns the mapping of what rows are compared by; nil if that is
// nothing.
func (j *job) identityMapping() *mappings.Mapping {
	if j.duplicates == nil || j.mapping == nil {
		return nil
	}
	return j.mapping.Identity(j.resource)
}

// removeSorted removes the files of a search that was killed.
func (j *job) removeSorted() error {
	left, err := filepath.Glob(filepath.Join(j.dir.Path, ".sort-*"))
	if err != nil {
		return err
	}
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// collect runs over the input and gives sorter what rows are compared by: of all
// rows, or, where a policy picks one of several, of those that pass every rule.
func (j *job) collect(ctx context.Context, only *mappings.Mapping, sorter *dedup.Sorter) error {
	plan, steps := j.plan, j.steps
	if !j.duplicates.chooses() {
		var err error
		if plan, err = j.compileIdentity(only); err != nil {
			return err
		}
		steps = func() []pipeline.Step {
			if j.first != nil {
				return []pipeline.Step{j.first, plan.Step()}
			}
			return []pipeline.Step{plan.Step()}
		}
		if s, ok := j.source.(pipeline.Narrower); ok {
			s.Want(plan.Reads())
		}
	}
	c := collector{sorter: sorter, valid: j.duplicates.chooses()}
	rand.Read(c.key[:]) // never fails
	run := pipeline.Run{
		Source: j.source, Schema: plan.Schema(),
		Steps: func() []pipeline.Step {
			own := c
			own.reader = plan.TraitReader(j.resource, j.change.byRecord())
			return append(steps(), &own)
		},
	}
	_, err := run.Do(ctx)
	return err
}

// compileIdentity binds the mapping of what rows are compared by.
func (j *job) compileIdentity(only *mappings.Mapping) (*mappings.Plan, error) {
	o := j.compileOptions()
	o.Partial = true
	return only.Compile(j.resource, j.source.Columns(), o)
}

// collector is the step that collects what rows are compared by. Each worker has
// its own.
type collector struct {
	key    [sha256.Size]byte
	sorter *dedup.Sorter
	reader *mappings.TraitReader
	valid  bool // rows that were rejected do not count

	text    []byte         // buffer
	records []dedup.Record // buffer
}

// Apply collects the rows of b.
func (c *collector) Apply(b *pipeline.Batch) error {
	c.records = c.records[:0]
	for i, fate := range b.Fates {
		switch {
		case fate == pipeline.Skipped, fate == pipeline.Broken, c.valid && fate != pipeline.Pending:
			continue
		}
		c.reader.Read(b, i, func(trait mappings.Trait, text []byte) {
			r := dedup.Record{Row: b.Rows[i], Tag: uint64(trait)}
			r.Hi, r.Lo, c.text = digest(c.text, &c.key, byte(trait), text)
			c.records = append(c.records, r)
		})
	}
	return c.sorter.Add(c.records)
}

// digest returns a digest of text, which is of some kind, with a key that nobody
// keeps. The buffer is handed back for the next.
func digest(buffer []byte, key *[sha256.Size]byte, kind byte, text []byte) (hi, lo uint64, _ []byte) {
	buffer = append(append(append(buffer[:0], key[:]...), kind), text...)
	sum := sha256.Sum256(buffer)
	return binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:]), buffer
}

// step returns the step that does what the policies say; nil if there is nothing
// to do.
func (d *duplicates) step(columns []int16) pipeline.Step {
	if d == nil || d.table == nil || d.table.Len() == 0 {
		return nil
	}
	return &duplicateStep{duplicates: d, columns: columns}
}

// duplicateStep notes rows that are alike.
type duplicateStep struct {
	*duplicates
	columns []int16 // of the input, by field
}

// Apply notes the duplicates of b.
func (s *duplicateStep) Apply(b *pipeline.Batch) error {
	return s.table.Of(b.Rows, func(i int, c dedup.Duplicate) error {
		if fate := b.Fates[i]; fate == pipeline.Skipped || fate == pipeline.Broken {
			return nil
		}
		return s.note(b, i, c)
	})
}

// note notes that row i of b is alike others.
func (s *duplicateStep) note(b *pipeline.Batch, i int, c dedup.Duplicate) error {
	p := pipeline.Problem{Row: int32(i), Field: pipeline.None, Column: pipeline.None, Stage: pipeline.Validate, Code: duplicateInFile}
	how, row := s.policies[c.Kind], b.Rows[i]
	if how == allowAll {
		p.Severity = pipeline.Warning
	} else {
		g, err := c.Group()
		if err != nil || how == keepFirst && row == g.First || how == keepLast && row == g.Last {
			return err
		}
		p.Shape = others(row, g)
	}
	if field := s.reader.Field(b, i, mappings.Trait(c.Kind)); field >= 0 {
		p.Field, p.Column = int16(field), s.columns[field]
	}
	b.Note(p)
	return nil
}

// others names the other rows that row is alike.
func others(row int64, g dedup.Group) string {
	var names []string
	for _, other := range g.Some {
		if other != row {
			names = append(names, fmt.Sprint(other))
		}
	}
	more := g.Count - 1 - int64(len(names))
	switch {
	case len(names) == 1 && more == 0:
		return "as row " + names[0]
	case more == 0:
		last := len(names) - 1
		return "as rows " + strings.Join(names[:last], ", ") + " and " + names[last]
	}
	return "as rows " + strings.Join(names, ", ") + " and " + text.Number(more) + " more"
}

// shared reports whether the key of a row is that of other rows, too, which are
// sent all the same. It cannot be looked up then.
func (d *duplicates) shared(row int64) (shared bool) {
	if d == nil || d.table == nil || d.policies[mappings.Key] != allowAll {
		return false
	}
	err := d.table.Of([]int64{row}, func(_ int, c dedup.Duplicate) error {
		shared = shared || c.Kind == uint8(mappings.Key)
		return nil
	})
	return shared || err != nil
}
