package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"flytt/internal/journal"
	"flytt/internal/run"
	"flytt/sources"
)

// passing are the flags that say how a run is watched, and those that say how fast it
// goes: another run with the same rows does not take them over.
var passing = append([]string{"concurrency", "rate", "settle", "give-up-after", "max-rejects", "yes"}, run.WatchFlags...)

// unkept are the flags that mean nothing to who goes on with a run.
var unkept = []string{"run-dir", "mapping", "dry-run", "output", "overwrite", "help"}

// givenFlags returns the flags that were given, but for those that are not kept.
func givenFlags(flags *pflag.FlagSet) map[string][]string {
	given := map[string][]string{}
	flags.Visit(func(f *pflag.Flag) {
		if slices.Contains(unkept, f.Name) {
			return
		}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			given[f.Name] = list.GetSlice()
		} else {
			given[f.Name] = []string{f.Value.String()}
		}
	})
	return given
}

// giveFlags sets flags as they were given.
func giveFlags(flags *pflag.FlagSet, given map[string][]string) error {
	for name, values := range given {
		f := flags.Lookup(name)
		if f == nil {
			return fmt.Errorf("the run was given --%s, which this version does not know", name)
		}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			if err := list.Replace(values); err != nil {
				return fmt.Errorf("--%s of the run: %w", name, err)
			}
			f.Changed = true
			continue
		}
		if len(values) != 1 {
			return fmt.Errorf("--%s of the run has %d values", name, len(values))
		}
		if err := flags.Set(name, values[0]); err != nil {
			return fmt.Errorf("--%s of the run: %w", name, err)
		}
	}
	return nil
}

// header describes the run for its journal, once everything that decides what it
// sends is known.
func (j *job) header() (journal.Header, error) {
	w := j.writing
	h := journal.Header{
		Run: j.dir.ID, Verb: j.verb, Tool: buildVersion(), Began: j.started, Parent: w.parent,
		BaseURL: w.connection.address(w.client), Customer: w.connection.customer, Resource: j.resource.Name,
	}
	o := run.RecordedSpec{
		File: j.file, Input: j.input, Flags: givenFlags(j.flags.verb.Flags()), Mapping: j.flags.mapping, Guessed: j.change.guessed, Identity: w.identity, Plan: w.plan, Live: j.snapshot.Mark(),
		Compare: j.change.compare, Resource: j.resource.Name, ChunkRows: j.settings.ChunkRows, Atomicity: j.settings.Bulk.Atomicity,
	}
	if !j.clock.Equal(j.started) {
		o.Clock = j.clock
	}
	var err error
	if o.Input, err = filepath.Abs(o.Input); err != nil {
		return h, err
	}
	if o.Mapping != "" {
		if o.Mapping, err = filepath.Abs(o.Mapping); err != nil {
			return h, err
		}
	}
	if h.Spec, err = json.Marshal(o); err != nil {
		return h, err
	}
	if h.Input, err = j.describeInput(o.Input); err != nil {
		return h, err
	}
	h.Files, err = j.describeFiles(o.Mapping)
	return h, err
}

// describeFiles describes what else decides which bytes are sent: the run's copy
// of the mapping, the mapping it was made from, and the lookup tables.
func (j *job) describeFiles(mapping string) ([]journal.File, error) {
	files := []struct{ name, path string }{{run.OwnMapping, j.dir.File("mapping.yaml")}}
	if mapping != "" {
		files = append(files, struct{ name, path string }{"mapping", mapping})
	}
	for _, path := range j.tables() {
		path, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		files = append(files, struct{ name, path string }{"lookup table", path})
	}
	var out []journal.File
	for _, f := range files {
		d, err := run.DescribeFile(f.name, f.path)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// describeInput describes the input, which has to be what the run has seen of it.
func (j *job) describeInput(path string) (journal.File, error) {
	d, err := run.DescribeFile("input", path)
	if err == nil && j.flags.was != nil {
		err = sources.Unchanged(path, j.flags.was)
	}
	return d, err
}

// sameContent reports whether the input holds what it did when its digest was taken,
// if it was.
func (j *job) sameContent() bool {
	var was journal.File
	switch w := j.writing; {
	case w == nil:
		return false
	case w.journal != nil:
		was = w.journal.Header().Input
	case w.past != nil:
		was = w.past.Input
	}
	is, err := run.DescribeFile("input", j.input)
	return err == nil && is.SHA256 == was.SHA256
}

// sameFiles returns an error if a file that the run with the header h depended on is
// not what it was. The input has to stay what it is from now on.
func (j *job) sameFiles(h *journal.Header) error {
	was, err := os.Stat(h.Input.Path)
	if err := run.SameFiles(h); err != nil {
		return err
	}
	j.flags.was = was
	return err
}
