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

// existed reports whether record, which the answer to a row that makes a record shows, was
// there before the run.
func (s *Import) existed(record []byte) bool {
	o := &s.options
	if o.Created == "" || o.Began.IsZero() {
		return false
	}
	made, dated := api.Moment(jsonscan.Text(jsonscan.Member(record, o.Created)))
	if !dated {
		return false
	}
	began, known := s.client.ServerTime(o.Began)
	return known && made.Before(began.Add(-certainlyOlder))
}

// ageOf returns the age of record, by the server's clock.
func (s *Import) ageOf(record []byte) age {
	o := &s.options
	if o.Created == "" || o.Began.IsZero() {
		return ageUnknown
	}
	began, known := s.client.ServerTime(o.Began)
	made, dated := api.Moment(jsonscan.Text(jsonscan.Member(record, o.Created)))
	switch {
	case !known || !dated:
		return ageUnknown
	case made.Before(began.Add(-clockSlack)):
		return olderThanRun
	}
	return ofRun
}
