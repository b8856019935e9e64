package sandbox

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// exchange is one request on its way through the sandbox.
type exchange struct {
	*Sandbox
	w      *recorder
	r      *http.Request
	table  *table
	tenant int64
	id     uuid.UUID // the row the path names
	entry  Request
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
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
	return w.ResponseWriter.Write(p)
}

// Unwrap gives http.ResponseController the writer underneath.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// errDone ends a request that Intercept has answered.
var errDone = errors.New("answered")

// ServeHTTP answers one request.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{Sandbox: s, w: &recorder{ResponseWriter: w}, r: r}
	x.entry.Method, x.entry.Path = r.Method, r.URL.Path
	defer x.log()
	w.Header().Set("Date", s.options.Now().UTC().Format(http.TimeFormat))
	if err := x.serve(); err != nil && !errors.Is(err, errDone) {
		x.fail(err)
	}
}

func (x *exchange) log() {
	if x.options.Log != nil {
		x.entry.Status = x.w.status
		x.options.Log(x.entry)
	}
}

// at lets Intercept step in.
func (x *exchange) at(p Point) error {
	if x.options.Intercept != nil && x.options.Intercept(p, x.w, x.r) {
		return errDone
	}
	return nil
}

func (x *exchange) serve() error {
	if err := x.at(Arrived); err != nil {
		return err
	}
	var rest string
	if x.table, rest = x.route(x.r.URL.Path); x.table == nil {
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
	for _, h := range x.headers {
		if x.r.Header.Get(h.name) == "" {
			missing = append(missing, strings.ToUpper(h.name))
		}
	}
	if missing != nil {
		return failf(http.StatusUnauthorized, "Authentication credentials were not provided: %s.", strings.Join(missing, ", "))
	}
	tenant, known := x.tenants[x.r.Header.Get(customerHeader)]
	wrong := slices.ContainsFunc(x.headers[1:], func(h header) bool {
		return subtle.ConstantTimeCompare([]byte(x.r.Header.Get(h.name)), []byte(h.value)) == 0
	})
	if wrong || !known {
		return failf(http.StatusForbidden, "You do not have permission to perform this action.")
	}
	x.tenant = tenant
	return nil
}

// notAllowed says which methods there are.
func notAllowed(methods []method) error {
	names := make([]string, len(methods))
	for i, m := range methods {
		names[i] = m.name
	}
	f := failf(http.StatusMethodNotAllowed, "Method not allowed.")
	f.allow = strings.Join(names, ", ")
	return f
}
