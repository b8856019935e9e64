package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flytt/internal/api/list"
	"flytt/mappings"
)

const (
	defaultPageSize = 500
	mostPageSize    = 100_000
)

// listFlags say what is asked of a list, and how.
type listFlags struct {
	where       []string
	orderBy     []string
	search      string
	since       string
	limit       int64
	pageSize    int
	concurrency int
	rate        float64
}

func (f *listFlags) add(c *cobra.Command) {
	s := c.Flags()
	s.StringArrayVar(&f.where, "where", nil, "`FILTER` that rows meet, as the API takes it: name__icontains=AB, or turned round name__icontains!=AB; may be repeated")
	s.StringArrayVar(&f.orderBy, "order-by", nil, "`FIELDS` to sort by, a minus before those to go downwards: name,-created_at (default: the order in which they were made)")
	s.StringVar(&f.search, "search", "", "`TEXT` the API is to search for")
	s.StringVar(&f.since, "since", "", "only rows made at `DATE` or later (2026-11-01, or with a time: 2026-11-01T08:00:00+01:00); sees neither changes nor deletions")
	s.Int64Var(&f.limit, "limit", 0, "`N` rows at most (default: all)")
	s.IntVar(&f.pageSize, "page-size", defaultPageSize, "`N` rows to ask for at a time")
	s.IntVar(&f.concurrency, "concurrency", 0, fmt.Sprintf("`N` requests at once (default %d)", defaultConcurrency))
	s.Float64Var(&f.rate, "rate", 0, "at most `N` requests per second (default: no limit)")
}

// check finds what is wrong with the numbers, and lays them over s.
func (f *listFlags) check(s *settings) error {
	if f.limit < 0 {
		return usagef("leave it out for all rows", "--limit cannot be below 0")
	}
	if f.pageSize < 1 || f.pageSize > mostPageSize {
		return usagef(fmt.Sprintf("it is from 1 to %d", mostPageSize), "--page-size %d is out of range", f.pageSize)
	}
	return s.overlayRequests(f.concurrency, f.rate)
}

// list makes the list of r that is asked for, held against the filters that r
// has.
func (f *listFlags) list(r *mappings.Resource, s *settings) (*list.Query, error) {
	l := list.NewQuery(r.Path+"list/", r)
	if err := s.setIsNull(l); err != nil {
		return nil, err
	}
	for _, text := range f.where {
		if err := l.Where(text); err != nil {
			return nil, f.usage(r, "--where", err)
		}
	}
	if len(f.orderBy) > 0 {
		if err := l.OrderBy(f.orderBy...); err != nil {
			return nil, f.usage(r, "--order-by", err)
		}
	}
	if f.search != "" {
		if err := l.Search(f.search); err != nil {
			return nil, f.usage(r, "--search", err)
		}
	}
	if f.since == "" {
		return l, nil
	}
	from, err := parseSince(f.since)
	if err != nil {
		return nil, err
	}
	if err := l.Filter(mappings.CreatedAt, "gte", false, from.UTC().Format(time.RFC3339Nano)); err != nil {
		return nil, f.usage(r, "--since", err)
	}
	return l, nil
}

func (f *listFlags) usage(r *mappings.Resource, flag string, err error) error {
	hint := hintOf(err)
	if hint == "" {
		hint = "flytt schema " + r.Name + " lists the fields and their filters"
	}
	message, _ := split(err)
	return usage(errors.New(flag+": "+message), hint)
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
	return time.Time{}, usagef("give a date like 2026-11-01, or a time like 2026-11-01T08:00:00+01:00", "--since %s is neither a date nor a time", text)
}

// natural is the order in which rows come where none is asked for.
func (f *listFlags) natural(r *mappings.Resource) []string {
	if created(r) == "" {
		return []string{"id"}
	}
	return []string{mappings.CreatedAt, "id"}
}

// created returns the field by which a list can be read as it was made, or "".
func created(r *mappings.Resource) string { return r.CreatedField() }

// rowsOptions says how the list is read.
func (f *listFlags) rowsOptions(r *mappings.Resource, s *settings) list.Options {
	return list.Options{PageSize: f.pageSize, Concurrency: s.Concurrency, Limit: f.limit, Created: created(r)}
}

// setIsNull tells l how the API writes true and false in a filter by isnull.
func (s *settings) setIsNull(l *list.Query) error {
	pairs := map[string]string{"true": "false", "True": "False", "TRUE": "FALSE", "1": "0"}
	if s.List.IsNull == "" {
		return nil
	}
	no, ok := pairs[s.List.IsNull]
	if !ok {
		return usagef("it is true, True, TRUE or 1", "isnull in the settings: %s is no way to write true", s.List.IsNull)
	}
	l.SetIsNull(s.List.IsNull, no)
	return nil
}

// selection returns what --select names, parsed.
func selection(text string) (mappings.ColumnSelection, error) {
	sel, err := mappings.ParseColumnSelection(text)
	if err != nil {
		return sel, usage(fmt.Errorf("--select: %s", strings.TrimSpace(err.Error())), "columns separated by commas, or with a minus those to leave out: name,email or -tags,-customer_columns")
	}
	return sel, nil
}
