package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"flytt/internal/journal"
	"flytt/internal/snapshot"
	"flytt/internal/text"
	"flytt/sources"
)

// order is what a run was told to do, as the header of its journal keeps it: the
// flags as they were given, and of the settings those that decide which bytes
// are sent.
type order struct {
	File    string              `json:"file"`  // as it was named
	Input   string              `json:"input"` // what is read: File in full, or the copy of standard input
	Flags   map[string][]string `json:"flags"`
	Mapping string              `json:"mapping,omitempty"` // as it was named; the run's own copy is used
	Guessed bool                `json:"guessed"`           // the mapping was

	Plan string         `json:"plan,omitempty"` // directory of the plan that is applied
	Live *snapshot.Mark `json:"live,omitempty"` // of a plan: the records that there were

	Identity string `json:"identity,omitempty"` // file that an undo opens what was kept with

	Clock time.Time `json:"clock,omitzero"` // for the rules about dates; zero: when the run began

	Compare comparisons `json:"compare,omitempty"` // the forms in which fields were compared, whoever declared them

	Resource  string `json:"resource"`
	ChunkRows int    `json:"chunk_rows"`
	Atomicity string `json:"atomicity"`
}

// clock returns the time that the rules about dates went by in the run with the
// header h.
func (o *order) clock(h *journal.Header) time.Time {
	if o.Clock.IsZero() {
		return h.Began
	}
	return o.Clock
}

// command returns the command that does with verb what the run was told.
func (o *order) command(verb string) string {
	args := []string{"flytt", verb, shorten(o.Input)}
	if o.Mapping != "" {
		args = append(args, "-m", shorten(o.Mapping))
	}
	for _, name := range slices.Sorted(maps.Keys(o.Flags)) {
		for _, value := range o.Flags[name] {
			if !slices.Contains(watching, name) {
				args = append(args, "--"+name+"="+value)
			}
		}
	}
	return join(args)
}

// watching are the flags that say how a run is watched: each process that works on
// it has its own.
var watching = []string{"json", "quiet", "verbose", "log-format", "no-progress"}

// passing are those, and the flags that say how fast a run goes, which another run
// with the same rows does not take over.
var passing = append([]string{"concurrency", "rate", "settle", "give-up-after", "max-rejects", "yes"}, watching...)

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
	o := order{
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

// ownMapping is what a header calls the run's own copy of its mapping.
const ownMapping = "mapping of the run"

// describeFiles describes what else decides which bytes are sent: the run's copy
// of the mapping, the mapping it was made from, and the lookup tables.
func (j *job) describeFiles(mapping string) ([]journal.File, error) {
	files := []struct{ name, path string }{{ownMapping, j.dir.File("mapping.yaml")}}
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
		d, err := describeFile(f.name, f.path)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// describeFile reads the file at path to its end.
func describeFile(name, path string) (journal.File, error) {
	d := journal.File{Name: name, Path: path}
	f, err := os.Open(path)
	if err != nil {
		return d, fmt.Errorf("%s %s: %w", name, path, pathCause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return d, fmt.Errorf("%s %s: %w", name, path, pathCause(err))
	}
	sum := sha256.New()
	if d.Size, err = io.Copy(sum, f); err != nil {
		return d, fmt.Errorf("%s %s: %w", name, path, pathCause(err))
	}
	d.SHA256, d.ModTime = hex.EncodeToString(sum.Sum(nil)), info.ModTime()
	return d, nil
}

// describeInput describes the input, which has to be what the run has seen of it.
func (j *job) describeInput(path string) (journal.File, error) {
	d, err := describeFile("input", path)
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
	is, err := describeFile("input", j.input)
	return err == nil && is.SHA256 == was.SHA256
}

// sameFiles returns an error if a file that the run with the header h depended on is
// not what it was. The input has to stay what it is from now on.
func (j *job) sameFiles(h *journal.Header) error {
	was, err := os.Stat(h.Input.Path)
	if err := sameFiles(h); err != nil {
		return err
	}
	j.flags.was = was
	return err
}

// follow makes h and o name the files of the run's own directory, which is path now.
func follow(h *journal.Header, o *order, path string) {
	own := slices.IndexFunc(h.Files, func(f journal.File) bool { return f.Name == ownMapping })
	if own < 0 {
		return
	}
	was := filepath.Dir(h.Files[own].Path)
	move := func(file *string) {
		if filepath.Dir(*file) == was {
			*file = filepath.Join(path, filepath.Base(*file))
		}
	}
	h.Files = slices.Clone(h.Files)
	for i := range h.Files {
		move(&h.Files[i].Path)
	}
	move(&h.Input.Path)
	move(&o.Input)
}

// sameFiles returns an error that names the file, of those the run depends on,
// that is not what it was. A mapping that has gone is none: the run has its own.
func sameFiles(h *journal.Header) error {
	for _, was := range append([]journal.File{h.Input}, h.Files...) {
		is, err := describeFile(was.Name, was.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && was.Name == "mapping":
		case err != nil:
			return usage(err, missingHint(&was, err))
		case is.SHA256 != was.SHA256:
			return usagef(changedHint(&was), "%s %s is not what it was when the run began: %s", was.Name, was.Path, changed(&was, &is))
		}
	}
	return nil
}

// changed says how a file differs.
func changed(was, is *journal.File) string {
	switch {
	case is.Size > was.Size:
		return fmt.Sprintf("it has %s more, changed %s", text.Counted(is.Size-was.Size, "byte"), is.ModTime.Format(time.DateTime))
	case is.Size < was.Size:
		return fmt.Sprintf("it has %s fewer, changed %s", text.Counted(was.Size-is.Size, "byte"), is.ModTime.Format(time.DateTime))
	}
	return fmt.Sprintf("same size, different content, changed %s", is.ModTime.Format(time.DateTime))
}

func changedHint(was *journal.File) string {
	if was.Name == "mapping" {
		return "put it back as it was, or move it away: the run has a copy of its own"
	}
	return "put it back as it was; what is new in it is for a run of its own"
}
