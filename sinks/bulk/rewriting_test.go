package bulk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// The property test of the promise: servers that store rows in forms of their own are
// drawn at random, with answers of their own form, which get lost; a register is
// imported, resumed after deaths of the process, and its rejects are retried unchanged,
// in any order. No row is ever made twice, a row that is written is there once, and one
// that is rejected is not.
//
// FLYTT_REWRITING_SEED runs the one server of that seed, and FLYTT_REWRITING_RUNS so
// many (3000).

func TestNoRowIsMadeTwiceByAnyServer(t *testing.T) {
	if one := os.Getenv("FLYTT_REWRITING_SEED"); one != "" {
		seed, err := strconv.ParseUint(one, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) { newCampaign(t, seed).run() })
		return
	}
	runs, err := strconv.ParseUint(cmp.Or(os.Getenv("FLYTT_REWRITING_RUNS"), "3000"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	var total totals
	t.Run("servers", func(t *testing.T) {
		shards := uint64(runtime.GOMAXPROCS(0))
		for shard := range shards {
			t.Run(strconv.FormatUint(shard, 10), func(t *testing.T) {
				t.Parallel()
				for seed := shard; seed < runs && !t.Failed(); seed += shards {
					synctest.Test(t, func(t *testing.T) { total.add(newCampaign(t, seed).run()) })
				}
			})
		}
	})
	total.check(t, runs)
}

// totals counts what happened in all campaigns: a test in which nothing goes wrong would
// prove nothing.
type totals struct {
	mu sync.Mutex
	tallied
}

type tallied struct{ rows, written, rejected, other, inDoubt, lost, deaths, retried, lookedFirst int }

func (t *totals) add(c tallied) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows += c.rows
	t.written += c.written
	t.rejected += c.rejected
	t.other += c.other
	t.inDoubt += c.inDoubt
	t.lost += c.lost
	t.deaths += c.deaths
	t.retried += c.retried
	t.lookedFirst += c.lookedFirst
}

func (t *totals) check(test *testing.T, runs uint64) {
	test.Logf("%+v", t.tallied)
	if test.Failed() || runs < 100 {
		return
	}
	if t.lost == 0 || t.deaths == 0 || t.retried == 0 || t.lookedFirst == 0 || t.written < t.rows/2 || t.inDoubt > t.rows/5 {
		test.Error("too little happened for a proof")
	}
}

// campaign is one register on its way into one server.
type campaign struct {
	t          *testing.T
	seed       uint64
	random     *rand.Rand
	api        *rewriter
	fields     []string
	rows       [][]string      // values of fields
	relatedToo bool            // keys of which the server makes one, where each row makes a record all the same
	shared     map[string]bool // by key: several rows have it
	older      map[string]bool // by key: there was a record with it before
	legs       []*leg          // the import, and its retries
	o          ImportOptions
	tallied
}

// leg is one run: the import, or a retry.
type leg struct {
	journal   *memory
	began     time.Time
	rows      []int // of the campaign
	size      int   // of its chunks
	conflicts map[int64]bool
	passes    int // begun
	through   bool
	open      bool // another pass may settle rows in doubt
	fates     map[int]pipeline.Fate
	codes     map[int][]pipeline.Code
	ids       map[int]string
}

func newCampaign(t *testing.T, seed uint64) *campaign {
	c := &campaign{t: t, seed: seed, random: rand.New(rand.NewPCG(seed, 29)),
		fields: []string{"name", "custom_id", "external_client.id", "email", "title"}, shared: map[string]bool{}, older: map[string]bool{}}
	c.drawMode()
	c.drawServer()
	c.drawRows()
	c.drawOlder()
	c.drawOptions()
	c.legs = []*leg{c.newLeg(upTo(len(c.rows)), nil)}
	return c
}

func upTo(n int) (list []int) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

func (c *campaign) chance(percent int) bool { return c.random.IntN(100) < percent }

func pick[T any](c *campaign, values ...T) T { return values[c.random.IntN(len(values))] }

func (c *campaign) newLeg(rows []int, conflicts map[int64]bool) *leg {
	time.Sleep(2 * time.Second) // a person begins it
	return &leg{journal: newMemory(), began: time.Now(), rows: rows, size: 1 + c.random.IntN(8), conflicts: conflicts}
}

// chunks returns the rows of the chunks of l.
func (l *leg) chunks() [][]int { return slices.Collect(slices.Chunk(l.rows, l.size)) }

// run imports the register, with whatever happens, and checks what became of it.
func (c *campaign) run() tallied {
	c.logf("%+v", *c.describe())
	for range 2 + c.random.IntN(6) {
		c.step()
		if c.check(); c.t.Failed() {
			return c.tallied
		}
	}
	c.api.calm = true
	c.finish()
	time.Sleep(time.Minute) // for what is carried out late
	c.check()
	c.count()
	return c.tallied
}

// step does one of the things that can be done next.
func (c *campaign) step() {
	last := c.legs[len(c.legs)-1]
	switch {
	case !last.through, last.open && c.chance(70):
		c.pass(last, c.mayDie())
	case c.chance(50):
		c.retry()
	default:
		c.pass(pick(c, c.legs...), c.mayDie())
	}
}

// mayDie returns at which point the process dies; 0: it does not.
func (c *campaign) mayDie() int {
	if c.chance(50) {
		return 0
	}
	return 1 + c.random.IntN(40)
}

// finish makes passes until nothing is left that one could settle, and retries what was
// rejected.
func (c *campaign) finish() {
	for round := range 3 {
		for _, l := range c.legs {
			for n := 0; n < 5 && (!l.through || l.open); n++ {
				c.pass(l, 0)
			}
			if !l.through {
				if c.o.Mode == CreateOnly && !c.o.SkipExisting { // the others stop where they cannot look keys up
					c.fail("the run cannot be resumed")
				}
				return
			}
		}
		if round == 2 || !c.retry() {
			return
		}
	}
}

// retry begins a run with the rows that are rejected, and reports whether there are any.
// As the program does it leaves those out whose key was written.
func (c *campaign) retry() bool {
	if slices.ContainsFunc(c.legs, func(l *leg) bool { return !l.through }) {
		return false
	}
	fates, codes := c.standing()
	written := map[string]bool{}
	for row, fate := range fates {
		if fate == pipeline.Written {
			written[c.rows[row][1]] = true
		}
	}
	var rows []int
	conflicts := map[int64]bool{}
	for row := range c.rows {
		if fates[row] != pipeline.Rejected || c.o.Mode == CreateOnly && !c.o.SkipExisting && written[c.rows[row][1]] {
			continue
		}
		rows = append(rows, row)
		if keyTaken(codes[row]) {
			conflicts[int64(row)] = true
		}
	}
	if len(rows) == 0 {
		return false
	}
	c.logf("retry of %v, conflicts %v", rows, conflicts)
	c.tallied.retried += len(rows)
	c.tallied.lookedFirst += len(conflicts)
	c.legs = append(c.legs, c.newLeg(rows, conflicts))
	c.pass(c.legs[len(c.legs)-1], c.mayDie()*btoi(!c.api.calm))
	return true
}

// keyTaken reports whether a row was rejected because records had its key.
func keyTaken(codes []pipeline.Code) bool {
	return slices.Contains(codes, CodeKeyConflict) || slices.Contains(codes, CodeKeyNotUnique)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// standing returns what became of each row by the last run that sent it.
func (c *campaign) standing() (map[int]pipeline.Fate, map[int][]pipeline.Code) {
	fates, codes := map[int]pipeline.Fate{}, map[int][]pipeline.Code{}
	for _, l := range c.legs {
		maps.Copy(fates, l.fates)
		maps.Copy(codes, l.codes)
	}
	return fates, codes
}

// pass goes over the rows of l once, with a process that dies at the n-th point; 0: it
// does not.
func (c *campaign) pass(l *leg, dies int) {
	k := &reaper{left: dies}
	c.api.pass, l.journal.pass = k.pass, k.pass
	s := c.sink(l)
	c.logf("pass over %d rows of run %d", len(l.rows), slices.Index(c.legs, l))
	chunks, err := c.writeAll(s, l)
	c.api.pass, l.journal.pass = func(string) {}, func(string) {}
	if dies > 0 && k.left == 0 {
		c.logf("died: %v", err)
		c.tallied.deaths++
		if c.chance(50) {
			l.journal.crash()
		}
		return
	}
	if l.through = err == nil; err != nil {
		c.logf("stopped: %v", err)
		return
	}
	l.open = s.Resolvable()
	l.take(chunks)
	c.logf("fates %v, open %v", l.fates, l.open)
}

// take takes in what became of the rows of chunks.
func (l *leg) take(chunks []*pipeline.Chunk) {
	l.fates, l.codes, l.ids = map[int]pipeline.Fate{}, map[int][]pipeline.Code{}, map[int]string{}
	for _, chunk := range chunks {
		for i, fate := range chunk.Fates {
			row := int(chunk.Rows[i])
			l.fates[row] = fate
			if chunk.IDs.Len() == chunk.Len() {
				l.ids[row] = string(chunk.IDs.Value(i))
			}
		}
		for _, p := range chunk.Problems {
			row := int(chunk.Rows[p.Row])
			l.codes[row] = append(l.codes[row], p.Code)
		}
	}
}

// writeAll writes the chunks of l one by one, and returns them; with an error, or where
// the process dies, not all of them. (Writes at once would wait for each other's locks,
// for which the clock of a bubble does not go on. The soak has those.)
func (c *campaign) writeAll(s *Import, l *leg) (chunks []*pipeline.Chunk, err error) {
	defer func() {
		if died, is := recover().(killed); is {
			err = fmt.Errorf("died at %s", died.point)
		}
	}()
	for seq, rows := range l.chunks() {
		chunk := c.chunk(s, seq, rows)
		chunks = append(chunks, chunk)
		if err := s.Write(c.t.Context(), chunk); err != nil {
			return chunks, err
		}
	}
	return chunks, nil
}

func (c *campaign) chunk(s *Import, seq int, rows []int) *pipeline.Chunk {
	var values [][]string
	for _, row := range rows {
		values = append(values, c.rows[row])
	}
	chunk := chunkFrom(c.t, s, values)
	chunk.Seq = int64(seq)
	for i, row := range rows {
		chunk.Rows[i] = int64(row)
	}
	return chunk
}

// sink makes the sink of a pass over l.
func (c *campaign) sink(l *leg) *Import {
	client, err := api.New(api.Config{
		BaseURL: "https://api.example.se", Transport: c.api,
		Credentials: api.Credentials{CustomerID: "x", ApplicationID: "x", ServiceID: "x", ServiceVersionID: "x", ClientCT: "x", ClientEntity: "x", ClientSecret: "x"},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	o := c.o
	l.passes++
	o.Journal, o.Began, o.KeysLookedUp = l.journal, c.legs[0].began, l.passes > 2
	if o.Created != "" {
		o.Unmatched = func(context.Context) ([][]byte, error) { return c.strays(client, l) }
	}
	if l.conflicts != nil {
		o.LookFirst = func(row int64) bool { return l.conflicts[row] }
	}
	s, err := NewImport(client, pipelinetest.Schema(c.fields...), o)
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// strays returns the records that were made since l began, by the server's clock, and
// that l is not known to have made.
func (c *campaign) strays(client *api.Client, l *leg) (out [][]byte, err error) {
	g := c.api
	g.pass("strays")
	began, known := client.ServerTime(l.began)
	if !known {
		return nil, errors.New("the API does not tell the time")
	}
	written := map[string]bool{}
	for seq := range l.chunks() {
		if e, _ := l.journal.Find(int64(seq)); e != nil {
			for i := range e.IDs.Len() {
				written[string(e.IDs.Value(i))] = e.Fates[i] == pipeline.Written
			}
		}
	}
	shown := 0
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, record := range g.records {
		object, _ := json.Marshal(record.data)
		made, _ := api.Moment(jsonscan.Text(jsonscan.Member(object, "created_at")))
		if time.Since(record.since) < g.lag || made.Before(began.Add(-time.Second)) {
			continue
		}
		if written[record.data["id"].(string)] {
			shown++
		} else {
			out = append(out, object)
		}
	}
	delete(written, "")
	maps.DeleteFunc(written, func(_ string, is bool) bool { return !is })
	if shown < len(written) || shown == 0 {
		return out, errors.New("the list does not show all records that the run made")
	}
	return out, nil
}

func (c *campaign) logf(format string, args ...any) {
	c.api.mu.Lock()
	defer c.api.mu.Unlock()
	c.api.logf(format, args...)
}

// describe returns what is drawn of the server, for the log.
func (c *campaign) describe() *map[string]any {
	g := c.api
	return &map[string]any{
		"forms": g.forms, "fills": g.fills, "shape": g.shape, "shuffled": g.shuffled, "partial": g.partial, "prefix": g.prefix, "names": g.names,
		"unique": g.unique, "fold": g.fold != nil, "lag": g.lag, "skew": g.skew, "dated": g.dated, "stamped": g.stamped, "trouble": g.trouble,
		"mode": c.o.Mode, "skip existing": c.o.SkipExisting, "look-up": c.o.KeyLookup, "atomicity": c.o.Atomicity, "rows": c.rows, "bad": g.bad,
	}
}

// fail fails the test with all that happened.
func (c *campaign) fail(format string, args ...any) {
	c.t.Helper()
	c.t.Errorf("FLYTT_REWRITING_SEED=%d: %s\n%s", c.seed, fmt.Sprintf(format, args...), strings.Join(c.api.log, "\n"))
}
