package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"flytt/pipeline"
)

// The doubles of these tests. A row is one line, "key;word", and the word says
// what is to become of it, or of the run.
const (
	good    = "good"
	broken  = "broken"  // the decoder cannot read it
	ragged  = "ragged"  // it has a cell too many
	skipped = "skipped" // a step leaves it out
	invalid = "invalid" // a step rejects it, twice over
	odd     = "odd"     // a step warns of it
	tooBig  = "toobig"  // the encoder turns it away
	refused = "refused" // the sink rejects it
	doubted = "doubted" // the sink does not know
	equal   = "equal"   // the sink had it already
	unsent  = "unsent"  // the sink does not send it
	blank   = "blank"   // no row at all, only a warning

	noDecode = "no-decode" // the run cannot go on
	noStep   = "no-step"
	noEncode = "no-encode"
	noWrite  = "no-write"
)

var (
	errRead   = errors.New("rows.txt: read: input/output error")
	errDecode = errors.New("rows.txt: no such encoding")
	errStep   = errors.New("mapping: cannot be evaluated")
	errEncode = errors.New("out.txt: cannot hold the schema")
	errWrite  = errors.New("out.txt: write: no space left on device")
	errRecord = errors.New("rejects.csv: write: no space left on device")
)

var schema = &pipeline.Schema{Fields: []pipeline.Field{{Name: "key"}, {Name: "word"}}}

// lines is a source of words, the key of each being its position.
type lines struct {
	words  []string
	blocks []int // rows in each block, in turn; nil: 3
	fail   error // instead of io.EOF
	before func(ctx context.Context, block int)
	jitter *jitter

	mu     sync.Mutex
	next   int // row
	cuts   int // blocks handed out
	closed bool
	seen   map[*pipeline.Block]bool
}

func (s *lines) Columns() []string { return []string{"key", "word"} }

func (s *lines) Next(ctx context.Context, b *pipeline.Block) error {
	if s.before != nil {
		s.before(ctx, s.cuts)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == len(s.words) {
		if s.fail != nil {
			return s.fail
		}
		return io.EOF
	}
	rows := 3
	if s.blocks != nil {
		rows = s.blocks[s.cuts%len(s.blocks)]
	}
	b.Data, b.Row = b.Data[:0], int64(s.next+1)
	for range min(rows, len(s.words)-s.next) {
		b.Data = fmt.Appendf(b.Data, "%d;%s\n", s.next, s.words[s.next])
		s.next++
	}
	b.End = int64(s.next)
	if s.seen == nil {
		s.seen = map[*pipeline.Block]bool{}
	}
	s.seen[b] = true
	s.cuts++
	return nil
}

func (s *lines) Decoder() pipeline.Decoder { return lineDecoder{s.jitter} }

func (s *lines) Close() error { s.closed = true; return nil }

type lineDecoder struct{ jitter *jitter }

func (d lineDecoder) Decode(block *pipeline.Block, b *pipeline.Batch) error {
	d.jitter.pause()
	b.Input[0].Share(block.Data)
	b.Input[1].Share(block.Data)
	at := 0
	for n := int64(0); at < len(block.Data); n++ {
		semicolon := at + bytes.IndexByte(block.Data[at:], ';')
		end := at + bytes.IndexByte(block.Data[at:], '\n')
		start := at
		at = end + 1
		if string(block.Data[semicolon+1:end]) == blank {
			b.Note(pipeline.Problem{Row: pipeline.None, Field: pipeline.None, Column: pipeline.None, Severity: pipeline.Warning, Code: "blank_row"})
			continue
		}
		b.AddRow(block.Row + n)
		b.Input[0].AppendSpan(start, semicolon)
		b.Input[1].AppendSpan(semicolon+1, end)
		switch word(b, b.Len()-1) {
		case noDecode:
			return errDecode
		case broken:
			b.Note(problem(b.Len()-1, pipeline.Read, "broken"))
		case ragged:
			b.Surplus = append(b.Surplus, pipeline.Surplus{Row: int32(b.Len() - 1), Cell: "surplus"})
			b.Note(problem(b.Len()-1, pipeline.Read, "ragged_row"))
		}
	}
	return nil
}

func word(b *pipeline.Batch, row int) string { return string(b.Input[1].Value(row)) }

func problem(row int, stage pipeline.Stage, code pipeline.Code) pipeline.Problem {
	return pipeline.Problem{Row: int32(row), Field: 1, Column: 1, Stage: stage, Code: code}
}

// judge is a step that finds its problems from the last row to the first.
type judge struct{ jitter *jitter }

func (j judge) Apply(b *pipeline.Batch) error {
	j.jitter.pause()
	for i := b.Len() - 1; i >= 0; i-- {
		if b.Fates[i] == pipeline.Broken {
			continue
		}
		switch word(b, i) {
		case noStep:
			return errStep
		case skipped:
			b.Fates[i] = pipeline.Skipped
		case invalid:
			b.Note(problem(i, pipeline.Map, "first"))
			b.Note(problem(i, pipeline.Validate, "second"))
		case odd:
			p := problem(i, pipeline.Validate, "odd")
			p.Severity = pipeline.Warning
			b.Note(p)
		}
	}
	b.Keys.View(&b.Input[0])
	return nil
}

func judges(j *jitter) func() []pipeline.Step {
	return func() []pipeline.Step { return []pipeline.Step{judge{j}} }
}

// store is a sink: a file if undo, else an API.
type store struct {
	undo   bool
	jitter *jitter
	before func(ctx context.Context, c *pipeline.Chunk) // called by each Write first
	commit error

	mu        sync.Mutex
	rows      []int64          // those written, in the order of their writing
	sizes     []int            // pending rows of each chunk
	chunks    map[int64]string // the encoded rows of each chunk, by Seq
	seen      map[*pipeline.Chunk]bool
	writing   int
	most      int // writes at once
	committed int
	aborted   int
}

func (s *store) Encoder() pipeline.Encoder { return keyEncoder{} }

type keyEncoder struct{}

func (keyEncoder) Encode(b *pipeline.Batch, e *pipeline.Encoded) error {
	for i, f := range b.Fates {
		switch w := word(b, i); {
		case w == noEncode:
			return errEncode
		case f == pipeline.Pending && w == tooBig:
			b.Note(problem(i, pipeline.Write, "too_big"))
		case f == pipeline.Pending:
			e.Data = append(append(e.Data, b.Input[0].Value(i)...), '\n')
		}
		e.EndRow()
	}
	return nil
}

func (s *store) enter(c *pipeline.Chunk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen, s.chunks = map[*pipeline.Chunk]bool{}, map[int64]string{}
	}
	s.seen[c] = true
	s.sizes = append(s.sizes, c.Pending())
	s.chunks[c.Seq] = string(c.Data)
	s.writing++
	s.most = max(s.most, s.writing)
}

func (s *store) Write(ctx context.Context, c *pipeline.Chunk) error {
	s.enter(c)
	if s.before != nil {
		s.before(ctx, c)
	}
	s.jitter.pause()
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.keep(c)
	if err := ctx.Err(); err != nil {
		c.SetPending(pipeline.InDoubt)
		return err
	}
	for i := c.Len() - 1; i >= 0; i-- { // a file in another order than the input's would show
		if c.Fates[i] != pipeline.Pending {
			continue
		}
		if string(c.Item(i)) != string(c.Keys.Value(i))+"\n" {
			return fmt.Errorf("row %d: its encoded form is another row's", c.Rows[i])
		}
		switch word(&c.Batch, i) {
		case refused:
			c.Note(problem(i, pipeline.Write, "refused"))
		case doubted:
			c.Fates[i] = pipeline.InDoubt
		case equal:
			c.Fates[i] = pipeline.Unchanged
		case unsent:
			c.Fates[i] = pipeline.NotSent
		case noWrite:
			return errWrite
		default:
			c.Fates[i] = pipeline.Written
		}
	}
	return nil
}

// keep notes what was written, in input order.
func (s *store) keep(c *pipeline.Chunk) {
	for i, f := range c.Fates {
		if f == pipeline.Written {
			s.rows = append(s.rows, c.Rows[i])
		}
	}
	s.writing--
}

func (s *store) Commit(context.Context) error { s.committed++; return s.commit }

func (s *store) Abort() (bool, error) { s.aborted++; return s.undo, nil }

// book is a recorder that keeps what it is given, as text.
type book struct {
	failAt  int  // Append that fails, from 1; 0: none
	discard bool // keeps nothing

	appends  int
	rejects  bytes.Buffer
	inDoubt  bytes.Buffer
	written  bytes.Buffer
	mu       sync.Mutex
	records  map[*pipeline.Record]bool
	problems int // room for problems in the largest chunk
}

func (r *book) Render(c *pipeline.Chunk, out *pipeline.Record) {
	r.mu.Lock()
	if r.records == nil {
		r.records = map[*pipeline.Record]bool{}
	}
	r.records[out] = true
	r.problems = max(r.problems, cap(c.Problems))
	r.mu.Unlock()
	if !slices.IsSortedFunc(c.Problems, func(a, b pipeline.Problem) int { return int(a.Row - b.Row) }) {
		panic("problems out of order")
	}
	problems := c.Problems
	for i, f := range c.Fates {
		for len(problems) > 0 && int(problems[0].Row) < i {
			problems = problems[1:]
		}
		switch f {
		case pipeline.Rejected:
			out.Rejects = appendRow(out.Rejects, c, i, problems)
		case pipeline.InDoubt:
			out.InDoubt = appendRow(out.InDoubt, c, i, problems)
		case pipeline.Written:
			out.Written = fmt.Appendf(out.Written, "%d\n", c.Rows[i])
		}
	}
}

func appendRow(dst []byte, c *pipeline.Chunk, row int, problems []pipeline.Problem) []byte {
	dst = strconv.AppendInt(dst, c.Rows[row], 10)
	for i := range c.Input {
		dst = append(append(dst, ' '), c.Input[i].Value(row)...)
	}
	for len(problems) > 0 && int(problems[0].Row) == row {
		dst = append(append(dst, ' '), problems[0].Code...)
		problems = problems[1:]
	}
	for _, s := range c.Surplus {
		if int(s.Row) == row {
			dst = append(append(dst, ' '), s.Cell...)
		}
	}
	return append(dst, '\n')
}

func (r *book) Append(rec *pipeline.Record) error {
	r.appends++
	if r.appends == r.failAt {
		return errRecord
	}
	if r.discard {
		return nil
	}
	r.rejects.Write(rec.Rejects)
	r.inDoubt.Write(rec.InDoubt)
	r.written.Write(rec.Written)
	return nil
}

// jitter makes goroutines take turns in another order for each seed.
type jitter struct {
	mu   sync.Mutex
	rand *rand.Rand
}

func newJitter(seed uint64) *jitter { return &jitter{rand: rand.New(rand.NewPCG(seed, 1))} }

func (j *jitter) pause() {
	if j == nil {
		return
	}
	j.mu.Lock()
	n := j.rand.IntN(30)
	j.mu.Unlock()
	for range n {
		runtime.Gosched()
	}
}

// words repeats pattern until there are n.
func words(n int, pattern ...string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = pattern[i%len(pattern)]
	}
	return out
}

// rig is a run with its doubles.
type rig struct {
	pipeline.Run
	source *lines
	store  *store
	book   *book
}

func newRig(words []string) *rig {
	g := &rig{source: &lines{words: words}, store: &store{}, book: &book{}}
	g.Run = pipeline.Run{
		Source: g.source, Schema: schema, Steps: judges(nil), Sink: g.store, Recorder: g.book, Workers: 2,
	}
	return g
}

// chunked has chunks of rows rows written, inFlight at once.
func (g *rig) chunked(inFlight, rows int) *rig {
	g.Chunks = pipeline.ChunkLimits{InFlight: inFlight, Rows: rows}
	return g
}

// direct has the blocks written to a file.
func (g *rig) direct() *rig {
	g.Chunks, g.store.undo = pipeline.ChunkLimits{}, true
	return g
}

func (g *rig) shake(seed uint64) *rig {
	j := newJitter(seed)
	g.source.jitter, g.store.jitter, g.Steps = j, j, judges(j)
	return g
}

// modes are the two ways a sink is written to.
var modes = []struct {
	name string
	set  func(*rig) *rig
}{
	{"direct", (*rig).direct},
	{"chunked", func(g *rig) *rig { return g.chunked(2, 4) }},
}
