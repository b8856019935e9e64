package run

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"flytt/internal/advice"
	"flytt/internal/api/list"
	"flytt/mappings"
)

// Check finds what is wrong with the numbers.
func (l *List) Check() error {
	if l.Limit < 0 {
		return advice.Usagef("leave it out for all rows", "--limit cannot be below 0")
	}
	if l.PageSize < 1 || l.PageSize > maxPageSize {
		return advice.Usagef(fmt.Sprintf("use a number from 1 to %d", maxPageSize), "--page-size %d is out of range", l.PageSize)
	}
	return nil
}

// Query makes the query for the records of r that are asked for, checked against the
// filters that r has.
func (l *List) Query(r *mappings.Resource, s *Settings) (*list.Query, error) {
	q := list.NewQuery(r.Path+"list/", r)
	if err := s.setIsNull(q); err != nil {
		return nil, err
	}
	for _, text := range l.Where {
		if err := q.Where(text); err != nil {
			return nil, listUsage(r, "--where", err)
		}
	}
	if len(l.OrderBy) > 0 {
		if err := q.OrderBy(l.OrderBy...); err != nil {
			return nil, listUsage(r, "--order-by", err)
		}
	}
	if l.Search != "" {
		if err := q.Search(l.Search); err != nil {
			return nil, listUsage(r, "--search", err)
		}
	}
	if l.Since == "" {
		return q, nil
	}
	from, err := parseSince(l.Since)
	if err != nil {
		return nil, err
	}
	if err := q.Filter(mappings.CreatedAt, "gte", false, from.UTC().Format(time.RFC3339Nano)); err != nil {
		return nil, listUsage(r, "--since", err)
	}
	return q, nil
}

// listUsage says that what flag asks of the list of r cannot be asked, because of err.
func listUsage(r *mappings.Resource, flag string, err error) error {
	message, hint := Explain(err)
	if hint == "" {
		hint = "flytt schema " + r.Name + " lists the fields and their filters"
	}
	return advice.Usage(errors.New(flag+": "+message), hint)
}

// parseSince reads a date, which begins at midnight of this machine's zone, or
// a time.
func parseSince(text string) (time.Time, error) {
	if t, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return t, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, advice.Usagef("give a date like 2026-11-01, or a time like 2026-11-01T08:00:00+01:00", "--since %s is neither a date nor a time", text)
}

// naturalOrder is the order in which records come where none is asked for.
func naturalOrder(r *mappings.Resource) []string {
	if r.CreatedField() == "" {
		return []string{"id"}
	}
	return []string{mappings.CreatedAt, "id"}
}

// Options says how the list of r is read.
func (l *List) Options(r *mappings.Resource, s *Settings) list.Options {
	return list.Options{PageSize: l.PageSize, Concurrency: s.Concurrency, Limit: l.Limit, Created: r.CreatedField()}
}

// ParseSelect returns the columns that --select names.
func ParseSelect(text string) (mappings.ColumnSelection, error) {
	sel, err := mappings.ParseColumnSelection(text)
	if err != nil {
		return sel, advice.Usage(fmt.Errorf("--select: %s", strings.TrimSpace(err.Error())), "columns separated by commas, or with a minus those to leave out: name,email or -tags,-customer_columns")
	}
	return sel, nil
}
