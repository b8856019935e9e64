package bulk

import (
	"time"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
)

// clockSlack is how much the clock that dates records may be behind the one that
// dates answers.
const clockSlack = time.Second

// age is when a record was made, as far as that can be told.
type age uint8

const (
	ageUnknown   age = iota
	olderThanRun     // before the run began
	ofRun            // since the run began
)

// certainlyOlder is how much older than the run a record has to be that an answer to one of
// its rows shows. The clocks that date answers and records may differ by less.
const certainlyOlder = time.Minute

// ages tells when records were made.
type ages struct {
	clock interface {
		ServerTime(local time.Time) (time.Time, bool)
	}
	began  time.Time // of the run, by this machine's clock; zero: records are not told apart by their age
	member string    // of a record in which the API says when it was made; empty: it does not
}

// existed reports whether record, which the answer to a row that makes a record shows, was
// there before the run.
func (a *ages) existed(record []byte) bool {
	began, made, known := a.moments(record)
	return known && made.Before(began.Add(-certainlyOlder))
}

// of returns the age of record, by the server's clock.
func (a *ages) of(record []byte) age {
	switch began, made, known := a.moments(record); {
	case !known:
		return ageUnknown
	case made.Before(began.Add(-clockSlack)):
		return olderThanRun
	}
	return ofRun
}

// moments returns when the run began and when record was made, if both are known.
func (a *ages) moments(record []byte) (began, made time.Time, known bool) {
	if a.member == "" || a.began.IsZero() {
		return began, made, false
	}
	began, known = a.clock.ServerTime(a.began)
	made, dated := api.Moment(jsonscan.Text(jsonscan.Member(record, a.member)))
	return began, made, known && dated
}
