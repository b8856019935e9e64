package list

import (
	"context"
	"errors"
	"fmt"

	"flytt/internal/api"
)

// oversizedPage says that a page came with more rows than requested.
type oversizedPage struct {
	path  string
	ask   listRequest
	first idKey // of the page
	rows  int   // of the page, as far as it was read
	cut   bool  // the page had more rows than were read
}

func (e *oversizedPage) Error() string { return inPath(e.path, errNoPageSize).Error() }

// Unwrap returns errNoPageSize.
func (e *oversizedPage) Unwrap() error { return errNoPageSize }

// Hint says what to do about it.
func (e *oversizedPage) Hint() string {
	return "the server gives more rows than it is asked for; " + hintLarger
}

var errNoPageSize = errors.New("the server ignores _page_size")

// checkPageSize returns the error of j, or an oversizedPage if the page has more rows
// than requested.
func (r *Rows) checkPageSize(j *job) error {
	rows := len(j.page.Objects)
	cut := errors.Is(j.err, api.ErrOversized)
	if !cut && (j.err != nil || rows <= j.request.size) {
		return j.err
	}
	e := &oversizedPage{path: r.list.path, ask: j.request, rows: rows, cut: cut}
	if rows > 0 {
		e.first = keyOfID(j.page.ID(0))
	}
	return e
}

// readWithoutPages finds out how to read a list whose first page was oversized: in one
// answer, if page 2 is the same page, otherwise in pages of the length that they have.
func (r *Rows) readWithoutPages(ctx context.Context, long *oversizedPage) error {
	long.ask.page = 2
	j := r.pool.submit(long.ask)
	defer r.pool.release(j)
	err := r.pool.waitFor(ctx, j)
	switch {
	case err != nil && !errors.Is(err, api.ErrOversized):
		return err
	case len(j.page.Objects) > 0 && keyOfID(j.page.ID(0)) == long.first:
		r.reader = newSingleResponse(r, "the server ignores paging: the list was read in one answer, which is taken as one moment")
		return nil
	case long.cut || r.resized:
		return long
	}
	r.resized = true
	r.options.PageSize = long.rows
	r.chooseReader()
	return nil
}

// inPath says which read err is of.
func inPath(path string, err error) error { return fmt.Errorf("GET %s: %w", path, err) }
