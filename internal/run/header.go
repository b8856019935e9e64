package run

import (
	"encoding/json"
	"path/filepath"

	"flytt/internal/journal"
	"flytt/internal/runs"
	"flytt/internal/snapshot"
	"flytt/sources"
)

// newHeader describes the run for its journal, once everything that decides what it
// sends is known. Seen are the records that there were, of a plan.
func (r *remote) newHeader(seen *snapshot.Mark) (h journal.Header, err error) {
	s, b := r.session, r.rows.binding
	h = journal.Header{
		Run: s.dir.ID, Verb: s.verb, Tool: s.spec.Version, Began: s.started, Parent: r.parent,
		BaseURL: r.conn.Address, Customer: r.conn.Customer, Resource: b.resource.Name,
	}
	spec := runs.RecordedSpec{
		File: r.rows.input.file, Flags: s.spec.given(), Guessed: b.guessed, Identity: s.spec.Write.Identity, Plan: r.plan, Live: seen,
		Compare: r.compare, Resource: b.resource.Name, ChunkRows: s.settings.ChunkRows, Atomicity: s.settings.Bulk.Atomicity,
	}
	if !s.clock.Equal(s.started) {
		spec.Clock = s.clock
	}
	if spec.Input, err = filepath.Abs(r.rows.input.path); err != nil {
		return h, err
	}
	if spec.Mapping, err = absolute(b.file); err != nil {
		return h, err
	}
	if h.Spec, err = json.Marshal(spec); err != nil {
		return h, err
	}
	if h.Input, err = r.describeInput(spec.Input); err != nil {
		return h, err
	}
	h.Files, err = r.describeFiles(spec.Mapping)
	return h, err
}

// absolute returns path in full; an empty one stays empty.
func absolute(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	return filepath.Abs(path)
}

// describeFiles describes what else decides which bytes are sent: the run's copy
// of the mapping, the mapping it was made from, and the lookup tables.
func (r *remote) describeFiles(mapping string) (out []journal.File, err error) {
	files := []journal.File{{Name: runs.OwnMapping, Path: r.session.dir.File("mapping.yaml")}}
	if mapping != "" {
		files = append(files, journal.File{Name: "mapping", Path: mapping})
	}
	for _, path := range r.rows.binding.tables() {
		if path, err = filepath.Abs(path); err != nil {
			return nil, err
		}
		files = append(files, journal.File{Name: "lookup table", Path: path})
	}
	for _, f := range files {
		d, err := runs.DescribeFile(f.Name, f.Path)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// describeInput describes the input, which has to be what the run has seen of it.
func (r *remote) describeInput(path string) (journal.File, error) {
	d, err := runs.DescribeFile("input", path)
	if was := r.rows.input.was; err == nil && was != nil {
		err = sources.Unchanged(path, was)
	}
	return d, err
}
