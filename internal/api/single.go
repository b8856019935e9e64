package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"flytt/internal/jsonscan"

	"github.com/go-json-experiment/json/jsontext"
)

// errBadID says that an id cannot be part of a path. It is not shown: it may
// come from a file.
var errBadID = errors.New("the id is empty or has a slash, a dot-segment or a control character in it")

// CheckID returns an error if id cannot be part of a path: it is empty, or would name
// another path.
func CheckID(id string) error {
	if id == "" || id == "." || id == ".." || len(id) > maxKeyLength ||
		strings.ContainsFunc(id, func(r rune) bool { return r == '/' || r == '\\' || r < ' ' || r == 0x7F }) {
		return errBadID
	}
	return nil
}

// Get reads the record id of the collection at path, which ends in a slash, into the
// buffer into, which may be nil, with retries. Without an error, the body of the
// outcome is one valid JSON object. A record that does not exist is ErrNotFound.
func (c *Client) Get(ctx context.Context, path, id string, into []byte) (Outcome, error) {
	if err := CheckID(id); err != nil {
		return Outcome{Class: NotSent, Err: err}, inPath(path, err)
	}
	r := &request{method: http.MethodGet, path: path, id: id}
	var body []byte
	r.consume = func(res *http.Response, in io.Reader) (err error) {
		if body, err = readBody(res, in, into, c.config.MaxAnswer); err == nil && !IsObject(body) {
			err = errNotJSON
		}
		return err
	}
	o, err := c.read(ctx, r)
	switch {
	case err != nil:
		return o, err
	case !o.OK():
		return o, &StatusError{Method: r.method, Path: path, Status: o.Status}
	}
	o.Body = body
	return o, nil
}

// IsObject reports whether body is one valid JSON object.
func IsObject(body []byte) bool {
	v := jsontext.Value(body)
	return v.Kind() == '{' && v.IsValid()
}

// Create makes one attempt to POST body, a JSON object, to the collection at
// path. The body of the answer is read into the buffer into, which may be nil.
func (c *Client) Create(ctx context.Context, path string, body, into []byte) Outcome {
	return c.write(ctx, &request{method: http.MethodPost, path: path, body: body, into: into})
}

// Update makes one attempt to PATCH the record id of the collection at path
// with body, a JSON object of the fields to change.
func (c *Client) Update(ctx context.Context, path, id string, body, into []byte) Outcome {
	if err := CheckID(id); err != nil {
		return Outcome{Class: NotSent, Err: err}
	}
	return c.write(ctx, &request{method: http.MethodPatch, path: path, id: id, body: body, into: into})
}

// Delete makes one attempt to DELETE the record id of the collection at path.
func (c *Client) Delete(ctx context.Context, path, id string) Outcome {
	if err := CheckID(id); err != nil {
		return Outcome{Class: NotSent, Err: err}
	}
	return c.write(ctx, &request{method: http.MethodDelete, path: path, id: id})
}

// setPath sets the path of u to that of the collection, or of the record id in
// it. What is special in an id is escaped, so that it stays one segment.
func (r *request) setPath(u *url.URL) {
	u.Path, u.RawQuery = r.path, r.query
	if r.id != "" {
		u.Path = r.path + r.id + "/"
		u.RawPath = (&url.URL{Path: r.path}).EscapedPath() + url.PathEscape(r.id) + "/"
	}
}

// ErrInDoubt says that a write was sent and that nobody knows whether it was
// carried out.
var ErrInDoubt = errors.New("whether the API did it is not known")

// RefusedError says that the API did not accept a write of one record.
type RefusedError struct {
	Method   string
	Path     string
	Status   int
	Fields   []string  // that were sent and that the API finds fault with
	Refusals []Refusal // its words, which may quote values
}

// Error returns the request, the status and the fields, and none of the API's
// words.
func (e *RefusedError) Error() string {
	s := fmt.Sprintf("%s %s: the API refuses the record with %d %s", e.Method, e.Path, e.Status, http.StatusText(e.Status))
	if len(e.Fields) > 0 {
		s += ", because of " + strings.Join(e.Fields, ", ")
	}
	return s
}

// Problem returns the error of the outcome of a write of one record, or nil if the
// record was written: a *StatusError, which is ErrNotFound if the record does not
// exist, a *RefusedError, ErrInDoubt, or why it was not sent or not processed. sent is
// the body of the write, nil if it had none.
func (o *Outcome) Problem(method, path string, sent []byte) error {
	switch {
	case o.OK():
		return nil
	case o.Class == InDoubt:
		return fmt.Errorf("%s %s: %w: %w", method, path, ErrInDoubt, o.Err)
	case o.Class != Answered:
		return fmt.Errorf("%s %s: %s: %w", method, path, strings.ReplaceAll(o.Class.String(), "_", " "), o.Err)
	case !IsRefusal(o.Status):
		return &StatusError{Method: method, Path: path, Status: o.Status}
	}
	e := &RefusedError{Method: method, Path: path, Status: o.Status}
	e.Refusals, _ = ParseRefusals(o.Body, Sent{Items: [][]byte{sent}}, UnknownBase)
	for _, r := range e.Refusals {
		field, _, _ := strings.Cut(r.Field, ".")
		if field != "" && jsonscan.Member(sent, field) != nil && !slices.Contains(e.Fields, field) {
			e.Fields = append(e.Fields, field)
		}
	}
	return e
}
