package run

import (
	"context"
	"errors"

	"flytt/internal/dedup"
	"flytt/internal/journal"
	"flytt/internal/runs"
	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sources"
)

// Retry sends the rows of s.File, rejects of the run in the directory s.Earlier.Run that
// were fixed. It is a run of its own, which belongs to that. The other fields of s are
// those of SpecOf.
func Retry(ctx context.Context, s Spec, o Observer) (*Result, error) {
	r := newRemote(newSession("retry", &s, o))
	return r.do(ctx, r.retry)
}

// retry finds out which rows of the file are sent, and returns where they go.
func (r *remote) retry() (target, error) {
	s := r.session.spec
	if err := Seekable(s.File); err != nil {
		return target{}, err
	}
	first, err := s.Store.ReadNamed(s.Earlier.Run)
	if err != nil {
		return target{}, err
	}
	e, err := openEarlier(r.session, first.Path, "")
	if err != nil {
		return target{}, err
	}
	group, err := s.Store.GroupOf(first)
	if err != nil {
		return target{}, err
	}
	selection, err := group.SelectRetry(s.File, s.Earlier.Again)
	if err != nil {
		return target{}, err
	}
	if err := r.followRules(e); err != nil {
		return target{}, err
	}
	r.parent = first.Path
	r.retries(selection)
	retry := &retryRun{r, group, &e.header}
	return target{begin: retry.begin, sink: r.writer(nil), resolvable: r.resolvable, finish: r.finish, next: afterWriting{r}.nextOfImport}, nil
}

type retryRun struct {
	remote *remote
	group  runs.Group
	first  *journal.Header // of the run that the rows are of
}

// begin keeps which rows are sent, and connects to the API that the run wrote to.
func (t *retryRun) begin(ctx context.Context) error {
	if err := t.keepSelection(); err != nil {
		return err
	}
	if err := t.remote.beginImport(ctx); err != nil {
		return err
	}
	return t.remote.conn.checkPlace(t.first, "wrote")
}

// keepSelection keeps which rows are sent, once it is known which keys they have.
func (t *retryRun) keepSelection() error {
	selection := t.remote.rows.retry
	if err := t.noteWrittenKeys(selection); err != nil {
		return err
	}
	if err := selection.Write(t.remote.session.dir); err != nil {
		return err
	}
	return runs.LinkChild(selection.Run, t.remote.session.dir.Path)
}

// noteWrittenKeys notes the rows that would make a second record with a key that the run,
// or a retry of it, wrote already: of two rows with one key it may have sent one and
// rejected the other, which is then alone in the file. Rows that find their record, by
// key or by id, are none of them.
func (t *retryRun) noteWrittenKeys(selection *runs.RetrySelection) error {
	if t.remote.rows.change.finds() {
		return nil
	}
	source, err := t.remote.rows.input.copyOf()
	if err != nil {
		return err
	}
	selection.KeyWritten, err = RowsOfWrittenKeys(t.group, t.remote.session.dir.Path, source, t.remote.rows.binding.plan, selection.Sent())
	return errors.Join(err, source.Close())
}

// RowsOfWrittenKeys returns those of the rows sent that would make a second record with a
// key that the first run of g or a retry of it wrote: of two rows with one key the run may
// have sent one and rejected the other, which is then alone in the file. It reads the rows
// from s, through plan, and keeps digests of keys in dir.
func RowsOfWrittenKeys(g runs.Group, dir string, s pipeline.Source, plan *mappings.Plan, sent runs.RowSet) (_ runs.RowSet, err error) {
	k := keyMatcher{hasher: dedup.NewHasher(), sorter: dedup.NewSorter(dir, dedup.MemoryRecords)}
	defer func() { err = errors.Join(err, k.sorter.Close()) }()
	if err := eachNewKey(s, plan, sent, k.add); err != nil || k.n == 0 {
		return nil, err
	}
	for _, r := range g.Senders() {
		err := r.EachWritten(func(w runs.WrittenRow) error { return k.add(dedup.Known, []byte(w.Key)) })
		if err != nil {
			return nil, err
		}
	}
	rows := runs.RowSet{}
	err = dedup.Match(k.sorter, nil, func(r *dedup.Record, written bool) error {
		if written {
			rows.Add(r.Row)
		}
		return nil
	})
	return rows, err
}

// keyMatcher matches the keys of rows with those that were written.
type keyMatcher struct {
	hasher *dedup.Hasher
	sorter *dedup.Sorter
	n      int
}

func (k *keyMatcher) add(row int64, key []byte) error {
	if len(key) == 0 {
		return nil
	}
	k.n++
	r := k.hasher.Record(uint8(mappings.MatchKey), key)
	r.Row = row
	return k.sorter.Add([]dedup.Record{r})
}

// eachNewKey calls visit with the key of every row sent that would become a new
// record, if it has one.
func eachNewKey(s pipeline.Source, plan *mappings.Plan, sent runs.RowSet, visit func(row int64, key []byte) error) error {
	step, id := plan.Step(), plan.Schema().Index("id")
	return sources.Each(s, func(b *pipeline.Batch) error {
		if err := step.Apply(b); err != nil {
			return err
		}
		for i, row := range b.Rows {
			if known := id >= 0 && len(b.Fields[id].Value(i)) > 0; known || !sent.Has(row) || i >= b.Keys.Len() {
				continue
			}
			if err := visit(row, b.Keys.Value(i)); err != nil {
				return err
			}
		}
		return nil
	})
}
