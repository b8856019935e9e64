package record

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
)

// Client is what records are written through. An api.Client is one, and says what each method
// does.
type Client interface {
	Create(ctx context.Context, path string, record, buf []byte) api.Outcome
	Update(ctx context.Context, path, id string, patch, buf []byte) api.Outcome
	Delete(ctx context.Context, path, id string) api.Outcome
	Get(ctx context.Context, path, id string, buf []byte) (api.Outcome, error)
}

// Result is what became of a write that succeeded.
type Result struct {
	Object    []byte   // the record as the API shows it; nil: it does not
	Different []string // fields that have another value there than was sent
	Unread    error    // why a record that was changed could not be shown
	Lost      error    // why the answer was lost, where the API shows that the write was done
}

// DoubtError says that nobody knows what a write did.
type DoubtError struct {
	Lost error // why the answer was lost
	Seen bool  // the record was read, and does not show the write: it may still come
}

// Error returns why the answer was lost.
func (e *DoubtError) Error() string { return fmt.Sprintf("the answer was lost: %v", e.Lost) }

// Unwrap returns why the answer was lost.
func (e *DoubtError) Unwrap() error { return e.Lost }

// Create makes d a record of the collection at path. The error is a *DoubtError if the answer is
// lost: a create is never repeated, for it may have been done.
func Create(ctx context.Context, c Client, path string, d *Draft) (*Result, error) {
	sent := d.JSON()
	o := c.Create(ctx, path, sent, nil)
	switch err := o.Problem(http.MethodPost, path, sent); {
	case errors.Is(err, api.ErrInDoubt):
		return nil, &DoubtError{Lost: o.Err}
	case err != nil:
		return nil, err
	}
	return resultOf(sent, o.Body), nil
}

// Update changes the fields of d in the record with id. If the answer is lost, or does not show
// the record, the record is read; the error is a *DoubtError if it does not show the change.
func Update(ctx context.Context, c Client, path, id string, d *Draft) (*Result, error) {
	sent := d.JSON()
	o := c.Update(ctx, path, id, sent, nil)
	err := o.Problem(http.MethodPatch, path, sent)
	switch {
	case err == nil && api.IsObject(o.Body):
		return resultOf(sent, o.Body), nil
	case err != nil && !errors.Is(err, api.ErrInDoubt):
		return nil, err
	}
	is, readErr := c.Get(ctx, path, id, nil)
	switch {
	case err == nil && readErr != nil:
		return &Result{Unread: readErr}, nil
	case err == nil:
		return resultOf(sent, is.Body), nil
	case readErr != nil:
		return nil, &DoubtError{Lost: o.Err}
	case !api.Same(sent, is.Body):
		return nil, &DoubtError{Lost: o.Err, Seen: true}
	}
	r := resultOf(sent, is.Body)
	r.Lost = o.Err
	return r, nil
}

// Delete deletes the record with id. If the answer is lost, the record is asked for; the error is
// a *DoubtError if that does not show that it is gone.
func Delete(ctx context.Context, c Client, path, id string) (*Result, error) {
	o := c.Delete(ctx, path, id)
	err := o.Problem(http.MethodDelete, path, nil)
	if err == nil {
		return &Result{}, nil
	}
	if !errors.Is(err, api.ErrInDoubt) {
		return nil, err
	}
	_, readErr := c.Get(ctx, path, id, nil)
	if errors.Is(readErr, api.ErrNotFound) {
		return &Result{Lost: o.Err}, nil
	}
	return nil, &DoubtError{Lost: o.Err, Seen: readErr == nil}
}

// resultOf returns the result of a write that was answered with body.
func resultOf(sent, body []byte) *Result {
	if !api.IsObject(body) {
		return &Result{}
	}
	r := &Result{Object: body}
	patch, _ := api.Changes(nil, sent, body)
	for name := range jsonscan.Members(patch) {
		r.Different = append(r.Different, string(jsonscan.Unquote(name)))
	}
	return r
}
