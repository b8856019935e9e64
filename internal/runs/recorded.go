package runs

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
	"strings"
	"time"

	"flytt/internal/advice"
	"flytt/internal/journal"
	"flytt/internal/osfile"
	"flytt/internal/snapshot"
	"flytt/internal/text"
)

// RecordedSpec is what a run was asked to do, as the header of its journal keeps it:
// the flags as they were given, and of the settings those that decide which bytes
// are sent.
type RecordedSpec struct {
	File    string              `json:"file"`  // as it was named
	Input   string              `json:"input"` // what is read: File in full, or the copy of standard input
	Flags   map[string][]string `json:"flags"`
	Mapping string              `json:"mapping,omitempty"` // as it was named; the run's own copy is used
	Guessed bool                `json:"guessed"`           // the mapping was

	Plan string         `json:"plan,omitempty"` // directory of the plan that is applied
	Live *snapshot.Mark `json:"live,omitempty"` // of a plan: the records that there were

	Identity string `json:"identity,omitempty"` // file with the key that opens what an undo needs

	Clock time.Time `json:"clock,omitzero"` // for the rules about dates; zero: when the run began

	Compare Comparisons `json:"compare,omitempty"` // the forms in which fields were compared, whoever declared them

	Resource  string `json:"resource"`
	ChunkRows int    `json:"chunk_rows"`
	Atomicity string `json:"atomicity"`
}

// ReadSpec reads what the run with the header h was asked to do.
func ReadSpec(h *journal.Header) (*RecordedSpec, error) {
	var spec RecordedSpec
	if err := json.Unmarshal(h.Spec, &spec); err != nil {
		return nil, fmt.Errorf("the spec of the run cannot be read: %w", err)
	}
	return &spec, nil
}

// ClockOf returns the time that the rules about dates went by in the run with the
// header h.
func (s *RecordedSpec) ClockOf(h *journal.Header) time.Time {
	if s.Clock.IsZero() {
		return h.Began
	}
	return s.Clock
}

// WatchFlags are the flags that say how a run is watched: each process that works on
// it has its own.
var WatchFlags = []string{"json", "quiet", "verbose", "log-format", "no-progress"}

// Command returns the command that does with verb what the run was asked to do.
func (s *RecordedSpec) Command(verb string) advice.Command {
	c := advice.Command{Verb: verb, File: s.Input, Mapping: s.Mapping}
	for _, name := range slices.Sorted(maps.Keys(s.Flags)) {
		for _, value := range s.Flags[name] {
			if !slices.Contains(WatchFlags, name) {
				c.Args = append(c.Args, "--"+name+"="+value)
			}
		}
	}
	return c
}

// OwnMapping is what a header calls the run's own copy of its mapping.
const OwnMapping = "mapping of the run"

// Follow makes h and spec name the files of the run's own directory, which is path
// now.
func Follow(h *journal.Header, spec *RecordedSpec, path string) {
	own := slices.IndexFunc(h.Files, func(f journal.File) bool { return f.Name == OwnMapping })
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
	move(&spec.Input)
}

// Relocate makes h and spec name the input that is at path now; an empty path says that
// it is where it was. It has to be, byte for byte, what the run read. Formats without a
// mark of their own are known by the extension: it has to be the same, too.
func Relocate(h *journal.Header, spec *RecordedSpec, path string) error {
	if path == "" {
		return nil
	}
	const hint = "name the file that the run read; it may have moved, but not changed"
	path, err := filepath.Abs(path)
	if err != nil {
		return advice.Usage(err, hint)
	}
	is, err := DescribeFile("--input", path)
	if err != nil {
		return advice.Usage(err, hint)
	}
	if is.SHA256 != h.Input.SHA256 || is.Size != h.Input.Size {
		return advice.Usagef(hint, "--input %s is not what the run read: %s", path, difference(&h.Input, &is))
	}
	was, now := filepath.Ext(h.Input.Path), filepath.Ext(path)
	if !strings.EqualFold(was, now) {
		return advice.Usagef("give the file its old extension again", "--input %s: its extension was %q when the run began, and is %q", path, was, now)
	}
	h.Input.Path, spec.Input = path, path
	return nil
}

// SameFiles returns an error that names the file, of those that the run depends on,
// that is not what it was. A mapping that is gone is none: the run has a copy.
func SameFiles(h *journal.Header) error {
	for _, was := range append([]journal.File{h.Input}, h.Files...) {
		is, err := DescribeFile(was.Name, was.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && was.Name == "mapping":
		case err != nil:
			return advice.Usage(err, missingHint(&was, err))
		case is.SHA256 != was.SHA256:
			return advice.Usagef(changedHint(&was), "%s %s is not what it was when the run began: %s", was.Name, was.Path, difference(&was, &is))
		}
	}
	return nil
}

// difference says how a file differs from what it was.
func difference(was, is *journal.File) string {
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
		return "restore it as it was, or move it away: the run has its own copy"
	}
	return "restore it as it was; import what is new in it as a new run"
}

// missingHint says what to do about err, which is why was, a file that a run depends
// on, cannot be read.
func missingHint(was *journal.File, err error) string {
	if was.Name == "input" && errors.Is(err, fs.ErrNotExist) {
		return "if it was moved, say where it is now: --input PATH"
	}
	return "restore it, then run this again"
}

// DescribeFile reads the file at path to its end, and describes it under name.
func DescribeFile(name, path string) (journal.File, error) {
	d := journal.File{Name: name, Path: path}
	f, err := os.Open(path)
	if err != nil {
		return d, fmt.Errorf("%s %s: %w", name, path, osfile.Cause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return d, fmt.Errorf("%s %s: %w", name, path, osfile.Cause(err))
	}
	sum := sha256.New()
	if d.Size, err = io.Copy(sum, f); err != nil {
		return d, fmt.Errorf("%s %s: %w", name, path, osfile.Cause(err))
	}
	d.SHA256, d.ModTime = hex.EncodeToString(sum.Sum(nil)), info.ModTime()
	return d, nil
}
