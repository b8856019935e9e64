package sinks

import (
	"time"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
)

// clockSlack is how much the clock that dates records may be behind the one that
// dates answers.
const clockSlack = time.Second

// older reports whether record was made before the run began, as far as that can be
// told.
func (s *Bulk) older(record []byte) bool {
	o := &s.options
	if o.Created == "" || o.Began.IsZero() {
		return false
	}
	began, known := s.client.ServerTime(o.Began)
	made, dated := api.Moment(jsonscan.Text(jsonscan.Member(record, o.Created)))
	return known && dated && made.Before(began.Add(-clockSlack))
}
