// Package probe asks the questions of flytt doctor: whether the API can be reached,
// and what it does where its reference is silent.
//
// [Connect] tries the steps before any request: the address of the host, the
// connection, TLS. [Survey] looks at one list and returns a [Result]: how the first
// request went, and a [Finding] for each behaviour that flytt depends on: paging,
// order, filters, the form of references and times.
//
// A probe only reads. It makes at most 25 requests, one after another, and repeats
// one only if it was not answered or the API was busy. A Result holds no value of
// any row, and no request holds more of a row than an id, a time of creation, or
// one letter.
//
// To read the code, begin with the topics in probe.go; list.go has the function of
// each topic, rows.go looks at the rows that have come, ask.go makes the requests.
package probe

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/api"
)

// Options say which list Survey reads, and what its fields are good for.
// Only Path is needed.
type Options struct {
	Path       string   // of the collection, with slashes at both ends
	Known      []string // the names of all members an object may have
	Created    string   // the date-time that the API sets once
	Key        string   // the field that is to identify a record
	Text       []string // text fields whose filters fold case; none that is private
	References []string // fields that refer to other records
	Numbers    []string // text fields that hold numbers of persons, companies or phones
}

// Result is what a look at a list has shown. It holds no value of any row.
type Result struct {
	Requests   int // that were made, all of them GET
	First      api.Exchange
	Rows       int           // that were looked at
	Busy       int           // answers that ask for fewer requests: 429, 503, 403 with Retry-After
	RetryAfter bool          // one of them said how long to wait
	Fastest    time.Duration // of all round trips
	Findings   []Finding     // in the order of topics; none if First failed
}

// Finding is what was seen of one thing that the API's reference leaves open.
type Finding struct {
	Topic   string // what was looked at, in snake_case
	Answer  string // what the API does, in a word or two
	Detail  string // more about it; where Seen is Unseen why it could not be told
	Verdict Verdict
}

// Verdict says how a finding is to be taken.
type Verdict uint8

const (
	Unknown  Verdict = iota // it could not be told
	Expected                // what the client is made for
	Unusual                 // what the client bears, at a price
	Broken                  // what something will not work with
)

func unknown(why string) Finding { return Finding{Detail: why} }

func expected(answer, detail string) Finding { return Finding{"", answer, detail, Expected} }

func unusual(answer, detail string) Finding { return Finding{"", answer, detail, Unusual} }

func broken(answer, detail string) Finding { return Finding{"", answer, detail, Broken} }

const (
	sampleSize    = 500      // rows that are looked at
	pageBeyondEnd = 1000000  // a page that no list has
	unpagedCap    = 64 << 10 // bytes read of a list without pages
)

// maxUnanswered is how many requests may stay without an answer before no more are
// made.
const maxUnanswered = 3

// topic is one thing to find out. Where rows are fewer than needed it is
// skipped.
type topic struct {
	name    string
	minRows int
	find    func(*prober, context.Context) Finding
}

// topics are what Survey finds out, in this order. Each makes at most four
// requests, and all together at most 25.
var topics = []topic{
	{"paging", 2, (*prober).paging},
	{"page_past_end", 0, (*prober).pagePastEnd},
	{"page_size", 1, (*prober).pageSize},
	{"unpaged", 1, (*prober).unpaged},
	{"jsonl", 1, (*prober).jsonLines},
	{"order", 2, (*prober).order},
	{"created_filter", 1, (*prober).createdFilter},
	{"slim", 1, (*prober).slim},
	{"statistics", 0, (*prober).statistics},
	{"negation", 2, (*prober).negation},
	{"isnull", 1, (*prober).isNull},
	{"case_folding", 1, (*prober).caseFolding},
	{"get", 1, (*prober).single},
	{"unknown_parameter", 0, (*prober).unknownParameter},
}

// Survey reads a list and finds out, by reading alone, what the API does where
// its reference is silent. It makes a few dozen small requests at most, one
// after another, and repeats one only if it was not answered or the API was
// busy. It ends early when ctx does, and when the first request fails.
func Survey(ctx context.Context, c *api.Client, o Options) *Result {
	b := &prober{client: c, options: o, result: &Result{}}
	first := b.list(ctx, "_page", "1", "_page_size", "1")
	b.result.First = first.Exchange
	if !first.OK() {
		return b.result
	}
	b.readSample(ctx)
	for _, t := range topics {
		if ctx.Err() != nil {
			break
		}
		var f Finding
		switch {
		case b.unanswered >= maxUnanswered:
			f = unknown("the API had stopped answering")
		case len(b.ids) < t.minRows:
			f = unknown("needs " + rowCount(t.minRows))
		default:
			f = t.find(b, ctx)
		}
		f.Topic = t.name
		b.result.Findings = append(b.result.Findings, f)
	}
	b.result.Findings = append(b.result.Findings, b.shapes()...)
	return b.result
}

// prober is a probe under way.
type prober struct {
	client  *api.Client
	options Options
	result  *Result

	sample       []jsontext.Value // rows of the first page
	ids          []string         // of those rows of the sample that have one
	firstRefusal *reply           // the first 400 that was met
	unanswered   int              // requests that were not answered
}

// readSample reads the first page, at the size that is usual.
func (b *prober) readSample(ctx context.Context) {
	r := b.list(ctx, "_page", "1", "_page_size", strconv.Itoa(sampleSize))
	b.sample = r.rows
	b.result.Rows = len(r.rows)
	b.ids = idsOf(r.rows)
}

// rowCount returns n in words: 1 row, 2 rows.
func rowCount(n int) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}
