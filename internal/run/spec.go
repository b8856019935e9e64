package run

import (
	"io"
	"strconv"
	"strings"
	"time"

	"flytt/internal/advice"
	"flytt/internal/runs"
	"flytt/pipeline"
	"flytt/sinks"
)

// Spec is what a run is asked to do, as plain data: what flags and settings resolve
// to. Begin with Defaults. Every kind of run has a function that takes one and says
// which fields it reads; the others are ignored.
type Spec struct {
	File       string // that is read, as it is named in messages; - is Stdin
	Input      Input
	Mapping    string // file of the mapping; empty: guessed from the headers
	Resource   string // name; empty: that of the mapping or the settings, or the only one there is
	Change     Change
	Duplicates string // policies for rows of the file that are alike: reject, or key=first,email=allow
	MaxRejects string // N or N%: stop when more rows are rejected; empty: never
	Write      Write
	List       List
	Output     Output
	Export     ExportOptions
	Place      Place
	Earlier    Earlier

	Store    *runs.Store // where runs are
	RunDir   string      // new or empty directory for the files of the run; empty: a new one in Store
	Profile  string      // of the settings, which a later run on this one's behalf takes, too
	Settings Settings
	Version  string // of the program, for journals and files

	Stdin  io.Reader
	Stdout io.Writer
}

// Input says how a file is read. What is empty the mapping says, and what neither says
// is detected.
type Input struct {
	Encoding   string
	Delimiter  string
	HeaderRow  int    // from 1; 0: detected
	Sheet      string // by name or number
	SkipHidden bool   // rows of a sheet
}

// Write says how rows are written to the API.
type Write struct {
	ChunkRows      int     // in a request; 0: as the settings say, or 500, or 100 where rows change records
	Concurrency    int     // requests under way at once; 0: as the settings say, or 4
	Rate           float64 // requests per second; 0: as the settings say, or no limit
	Settle         time.Duration
	GiveUpAfter    time.Duration
	Stamp          bool     // rows without a key get one
	Like           string   // an earlier run: what the API made of its values is no difference
	Undoable       bool     // what records hold before they are changed is kept
	UndoRecipients []string // age1… keys that alone can read what is kept
	Identity       string   // file of the identities with which an undo reads it
}

// Place says where the API is.
type Place struct {
	BaseURL string // prod, dev or a URL; empty: as the settings say
	Sandbox bool   // an API on this machine
	DB      string // file of the sandbox; empty: SandboxDB in the working directory
	Yes     bool   // nobody is asked before rows are written
}

// Output says how a file of rows is written.
type Output struct {
	Path      string // - is Stdout
	Overwrite bool
	Format    string // by name; empty: by the extension
	Excel     bool   // csv for a Swedish Excel
	Nulls     bool   // jsonl: fields without a value are null
}

// List says which records of the API are read, and how.
type List struct {
	Where    []string // filters, as the API takes them
	OrderBy  []string
	Search   string
	Since    string // a date or a time
	Limit    int64  // rows at most; 0: all
	PageSize int
}

// ExportOptions say which columns an export has, and when it does not write its file.
type ExportOptions struct {
	Select    string // columns, or with a minus those to leave out
	Extra     bool   // members that the resource does not describe, in a last column
	MinRows   int64
	MaxShrink string // P%: of the rows of the last export
}

// Earlier names the run that a run is about: that it resumes, retries, compares or takes
// back, or the plan that it applies.
type Earlier struct {
	Run   string // path of its directory
	Input string // path of its input, if that was moved
	Again bool   // a retry sends a file that was sent before
}

// What a run does unless it is told otherwise.
const (
	DefaultChunkRows   = 500
	DefaultChangeRows  = 100
	DefaultConcurrency = 4
	maxConcurrency     = 64
	maxChunkRows       = 100_000
	maxPageSize        = 100_000

	DefaultPageSize    = 500
	DefaultSettle      = 30 * time.Second
	DefaultGiveUpAfter = 10 * time.Minute
)

// Defaults returns the Spec of a run that is told nothing.
func Defaults() Spec {
	return Spec{
		Write: Write{Settle: DefaultSettle, GiveUpAfter: DefaultGiveUpAfter, Undoable: true},
		List:  List{PageSize: DefaultPageSize},
	}
}

// check reports an input that cannot be read as it says.
func (i *Input) check() error {
	if i.HeaderRow < 0 {
		return advice.Usagef("lines are counted from 1", "--header-row cannot be below 0")
	}
	return nil
}

// check reports waiting times that cannot be meant.
func (w *Write) check() error {
	if w.Settle < 0 || w.GiveUpAfter <= 0 {
		return advice.Usagef("--settle 30s --give-up-after 10m", "--settle and --give-up-after are times, and not below 0")
	}
	return nil
}

// fileOptions are those of the sink that writes the output of s.
func (s *Spec) fileOptions() sinks.FileOptions {
	o := &s.Output
	return sinks.FileOptions{
		Stdout: s.Stdout, Overwrite: o.Overwrite, Format: o.Format, Excel: o.Excel, Nulls: o.Nulls,
		Creator: "flytt version " + s.Version, Metadata: map[string]string{},
	}
}

// parseRejectLimit reads N or N%.
func parseRejectLimit(s string) (pipeline.RejectLimit, error) {
	if s == "" {
		return pipeline.RejectLimit{}, nil
	}
	hint := "give a number of rows, or a percentage above 0 and up to 100: --max-rejects 50, --max-rejects 2%"
	if share, ok := strings.CutSuffix(s, "%"); ok {
		p, err := strconv.ParseFloat(share, 64)
		if err != nil || !(p > 0 && p <= 100) {
			return pipeline.RejectLimit{}, advice.Usagef(hint, "--max-rejects %s is no limit", s)
		}
		return pipeline.RejectLimit{Set: true, Percent: p}, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return pipeline.RejectLimit{}, advice.Usagef(hint, "--max-rejects %s is no limit", s)
	}
	return pipeline.RejectLimit{Set: true, Rows: n}, nil
}
