package journal

import (
	"time"

	"flytt/pipeline"
)

// State is how far the handling of a chunk has come.
type State uint8

const (
	Planned State = iota + 1 // its rows are known; nothing of it was sent
	Sending                  // requests for some of its rows were made, or may have been
	Settled                  // what became of its rows is on record, as far as it ever was known
)

// Chunk describes which rows of the input a chunk has.
type Chunk struct {
	Seq         int64  // 0, 1, 2, … in input order
	First, Last int64  // numbers of its first and last row
	Rows        int    // number of rows, including those that are not sent
	Digest      []byte // keyed, of what would be sent: see Journal.Digest
}

// Entry is what the journal knows about a chunk.
type Entry struct {
	Chunk
	State State

	// Sent has the rows, as ascending indices in the chunk, for which requests were
	// made, or may have been, since the chunk was last settled. What became of them is
	// not known.
	Sent []int32

	// Settlement is what was known when the chunk was last settled; its Fates are
	// nil if it never was.
	Settlement
}

// Settlement is what became of the rows of a chunk. Slices have one entry for
// each row, or are empty.
type Settlement struct {
	Fates []pipeline.Fate // Pending: known not to have been written, and to be sent yet
	IDs   pipeline.Column // the API's id of each row that has a record
	Sums  []uint64        // keyed digest of the record as the API last showed it; 0: it did not
	Notes []byte          // remarks about the rows, in the sink's own format; kept encrypted
}

// BeforeImage is what records held before the rows of a chunk changed them. The caller
// defines its format.
type BeforeImage struct {
	Seq  int64
	Data []byte // kept encrypted
}

// Header is everything that decides which bytes a run sends, and where to. A run is
// resumed only if all of it is the same.
type Header struct {
	Format   int       `json:"format"` // of the journal; set by Create
	Run      string    `json:"run"`
	Parent   string    `json:"parent,omitempty"` // path of the run directory this run belongs to
	Verb     string    `json:"verb"`
	Tool     string    `json:"tool"` // version of flytt
	Began    time.Time `json:"began"`
	BaseURL  string    `json:"base_url"`
	Customer string    `json:"customer"`
	Resource string    `json:"resource"`
	Input    File      `json:"input"`
	Files    []File    `json:"files,omitempty"` // mapping and lookup tables
	Spec     []byte    `json:"order"`           // the settings and flags of the run, as JSON of the verb's own
}

// File is a file that the bytes sent depend on.
type File struct {
	Name    string    `json:"name"` // what it is to the run: input, mapping, lookup
	Path    string    `json:"path"` // absolute
	Size    int64     `json:"size"`
	SHA256  string    `json:"sha256"` // hexadecimal
	ModTime time.Time `json:"mod_time"`
}
