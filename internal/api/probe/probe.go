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

// Options say which list Survey reads, and what its fields can be used for. Only Path
// is required.
type Options struct {
	Path       string   // of the collection, with slashes at both ends
	Known      []string // the names of all members an object may have
	Created    string   // the date-time that the API sets once
	Key        string   // the field that identifies a record
	Text       []string // text fields whose filters ignore case; none that is private
	References []string // fields that refer to other records
	Numbers    []string // text fields with numbers of persons, companies or phones
}

// Result is what a survey of a list has shown. It holds no value of any row.
type Result struct {
	Requests   int // made, all of them GET
	First      api.Exchange
	Rows       int           // examined
	Busy       int           // answers that asked for fewer requests: 429, 503, 403 with Retry-After
	RetryAfter bool          // one of them said how long to wait
	Fastest    time.Duration // of all round trips
	Findings   []Finding     // in the order of topics; none if First failed
}

// Finding is what was found out about one thing that the API's reference leaves open.
type Finding struct {
	Topic   string // in snake_case
	Answer  string // what the API does, in a word or two
	Detail  string // more about it; if Verdict is Unknown, why it is not known
	Verdict Verdict
}

// Verdict says what a finding means for flytt.
type Verdict uint8

const (
	Unknown  Verdict = iota // it could not be found out
	Expected                // the client is made for it
	Unusual                 // the client can handle it, at a price
	Broken                  // something will not work with it
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

// maxUnanswered is how many requests may stay without an answer before the survey
// stops.
const maxUnanswered = 3

// topic is one thing to find out. It is skipped if there are fewer than minRows rows.
type topic struct {
	name    string
	minRows int
	find    func(*prober, context.Context) Finding
}

// topics are what Survey finds out, in this order. Each makes at most four requests,
// all together at most 25.
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

// Survey reads a list and finds out what the API does where its reference is silent. It
// only reads, makes a few dozen small requests at most, one after another, and repeats
// one only if it was not answered or the API was busy. It ends early when ctx does, and
// if the first request fails.
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

// prober is a survey in progress.
type prober struct {
	client  *api.Client
	options Options
	result  *Result

	sample       []jsontext.Value // rows of the first page
	ids          []string         // of the rows of the sample that have one
	firstRefusal *reply           // the first answer with status 400
	unanswered   int              // requests that were not answered
}

// readSample reads the first page, with the usual size.
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
