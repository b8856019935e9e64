package sandbox

import (
	"crypto/subtle"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// exchange is one request in the course of its handling.
type exchange struct {
	box    *Sandbox
	w      *recorder
	r      *http.Request
	table  *table
	tenant int64
	id     uuid.UUID // the row the path names
	entry  Request

	faults []Fault // that apply to it; they set the fields that follow

	skew       time.Duration // of the clock
	maxBody    int64         // bytes of the request's body
	listChange listChange
	storage    Storage       // as in Options, or as a fault has it
	lookup     Lookup        // likewise
	answers    Answers       // likewise
	refusing   time.Duration // for how long connections are refused afterwards
	delay      time.Duration // how much later the commit happens
	postponed  func()        // the postponed commit
	release    func()        // the lock that the write holds; nil: it holds none

	dead net.Conn // to be cut once the request is logged
}

// recorder remembers the status of an answer, and puts the byte order mark
// before its body.
type recorder struct {
	http.ResponseWriter
	status int
	mark   bool // JSON begins with a byte order mark, which is yet to be written
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if w.mark && len(p) > 0 {
		w.mark = false
		if w.hasJSON() {
			_, _ = io.WriteString(w.ResponseWriter, byteOrderMark) // the client is gone: the next write tells
		}
	}
	return w.ResponseWriter.Write(p)
}

// hasJSON reports whether the answer is JSON, or JSON lines.
func (w *recorder) hasJSON() bool {
	contentType := w.Header().Get("Content-Type")
	return contentType == jsonType || contentType == jsonLines.contentType
}

// Unwrap gives http.ResponseController the writer underneath.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// errDone ends a request that Intercept has answered.
var errDone = errors.New("answered")

// ServeHTTP answers one request.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{
		box: s, w: &recorder{ResponseWriter: w}, r: r, maxBody: s.options.MaxBody,
		storage: s.options.Storage, lookup: s.options.Lookup, answers: s.options.Answers,
	}
	x.arrive()
	x.w.mark = x.answers.BOM
	defer x.leave()
	w.Header().Set("Date", x.now().UTC().Format(http.TimeFormat))
	if slices.ContainsFunc(x.faults, Fault.holds) {
		x.hold()
	} else {
		x.run()
	}
}

// run serves the request and answers what it ended with.
func (x *exchange) run() {
	err := x.serve()
	switch {
	case err == nil || errors.Is(err, errDone):
	case errors.Is(err, errLate):
		if !slices.ContainsFunc(x.faults, Fault.afterwards) {
			_ = x.reset()
		}
	default:
		x.fail(err)
	}
}

// hold serves the request, buffers its answer, and sends it as the faults change it.
func (x *exchange) hold() {
	out := x.w
	answer := &bufferedAnswer{ResponseWriter: out.ResponseWriter}
	x.w = &recorder{ResponseWriter: answer}
	x.run()
	x.w = out
	if x.dead != nil {
		return
	}
	for _, f := range x.faults {
		if f.afterwards() {
			for _, name := range []string{"Content-Type", "Allow"} {
				x.w.Header().Del(name)
			}
			_ = f.instead(x)
			return
		}
		if f.spoil != nil {
			f.spoil(x, answer)
		}
	}
	x.deliver(answer)
}

// now returns the time of the clock that the client sees.
func (x *exchange) now() time.Time { return x.box.options.Now().Add(x.skew) }

// stamp returns n times for created_at, by the clock the client sees.
func (x *exchange) stamp(n int) int64 { return x.box.stampFrom(x.now(), n) }

// at calls Options.Intercept.
func (x *exchange) at(p Point) error {
	if x.box.options.Intercept != nil && x.box.options.Intercept(p, x.w, x.r) {
		return errDone
	}
	return nil
}

func (x *exchange) serve() error {
	if err := x.at(Arrived); err != nil {
		return err
	}
	if x.box.cutsRequests() {
		return x.reset()
	}
	for _, f := range x.faults {
		if f.instead != nil && !f.then {
			return f.instead(x)
		}
	}
	if x.r.URL.Path == openapiPath {
		return x.openapi()
	}
	var rest string
	if x.table, rest = x.box.route(x.r.URL.Path); x.table == nil {
		return notFound
	}
	if err := x.authorise(); err != nil {
		return err
	}
	methods, err := x.methods(rest)
	if err != nil {
		return err
	}
	for _, m := range methods {
		if m.name == x.r.Method {
			if err := x.lock(); err != nil {
				return err
			}
			return m.serve(x)
		}
	}
	return notAllowed(methods)
}

// method is a way to ask for a path.
type method struct {
	name  string
	serve func(*exchange) error
}

var (
	collection = []method{{http.MethodPost, (*exchange).create}}
	list       = []method{{http.MethodGet, (*exchange).list}, {http.MethodPost, (*exchange).bulk}}
	row        = []method{{http.MethodGet, (*exchange).get}, {http.MethodPatch, (*exchange).update}, {http.MethodDelete, (*exchange).remove}}
)

// methods returns what can be asked of the rest of a path.
func (x *exchange) methods(rest string) ([]method, error) {
	switch rest {
	case "":
		return collection, nil
	case "list":
		return list, nil
	}
	id, ok := parseUUID([]byte(rest))
	if !ok {
		return nil, notFound
	}
	x.id = id
	return row, nil
}

// authorise checks the seven headers and finds the tenant.
func (x *exchange) authorise() error {
	var missing []string
	for _, h := range x.box.headers {
		if x.r.Header.Get(h.name) == "" {
			missing = append(missing, strings.ToUpper(h.name))
		}
	}
	if missing != nil {
		return failf(http.StatusUnauthorized, "Authentication credentials were not provided: %s.", strings.Join(missing, ", "))
	}
	tenant, known := x.box.tenants[x.r.Header.Get(customerHeader)]
	wrong := slices.ContainsFunc(x.box.headers[1:], func(h header) bool {
		return subtle.ConstantTimeCompare([]byte(x.r.Header.Get(h.name)), []byte(h.value)) == 0
	})
	if wrong || !known {
		return failf(http.StatusForbidden, "You do not have permission to perform this action.")
	}
	x.tenant = tenant
	return nil
}

// notAllowed returns the failure that lists the allowed methods.
func notAllowed(methods []method) error {
	names := make([]string, len(methods))
	for i, m := range methods {
		names[i] = m.name
	}
	f := failf(http.StatusMethodNotAllowed, "Method not allowed.")
	f.allow = strings.Join(names, ", ")
	return f
}
