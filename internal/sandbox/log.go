package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// Request is the record of one request, without any value it carried.
type Request struct {
	Number    int64         // 1 for the first that arrived
	InFlight  int           // requests under way when it arrived, itself included
	Began     time.Time     // by the machine's clock
	Took      time.Duration // until the answer was handed over, or the connection cut
	Method    string
	Path      string   // without the query
	Query     []string // the names of its parameters, sorted
	Operation string   // list, bulk, create, record, patch, delete; empty: unknown
	Proto     string   // HTTP/1.1, HTTP/2.0
	Status    int      // 0: the connection was cut before an answer
	Rows      int      // rows in the request's body, or in the answer of a read
	Committed int      // rows written, changed or deleted permanently
	Late      bool     // they were committed, or lost, after the connection was cut
	Faults    []string // the faults that applied to it, as ParseFault reads them
}

// The operations of a Request.
const (
	opList   = "list"
	opBulk   = "bulk"
	opCreate = "create"
	opRecord = "record"
	opPatch  = "patch"
	opDelete = "delete"
)

// operation names what a request asks for, "" if there is no such thing.
func (s *Sandbox) operation(r *http.Request) string {
	t, rest := s.route(r.URL.Path)
	if t == nil {
		return ""
	}
	switch rest {
	case "":
		return map[string]string{http.MethodPost: opCreate}[r.Method]
	case "list":
		return map[string]string{http.MethodGet: opList, http.MethodPost: opBulk}[r.Method]
	}
	if _, isID := parseUUID([]byte(rest)); !isID {
		return ""
	}
	return map[string]string{http.MethodGet: opRecord, http.MethodPatch: opPatch, http.MethodDelete: opDelete}[r.Method]
}

// arrive begins the record of the request and finds the faults that strike it.
func (x *exchange) arrive() {
	x.entry = Request{
		Number: x.box.arrived.Add(1), InFlight: int(x.box.inFlight.Add(1)), Began: time.Now(),
		Method: x.r.Method, Path: x.r.URL.Path, Proto: x.r.Proto, Operation: x.box.operation(x.r),
	}
	if x.r.URL.RawQuery != "" {
		x.entry.Query = slices.Sorted(maps.Keys(x.r.URL.Query()))
	}
	x.faults = x.box.plan.strike(x.r, x.entry.Operation)
	for _, f := range x.faults {
		x.entry.Faults = append(x.entry.Faults, f.text)
		if f.prepare != nil {
			f.prepare(x)
		}
	}
	if x.refusing > 0 {
		x.w.Header().Set("Connection", "close")
	}
}

// leave ends the record, and does what was to be done once the request is over.
func (x *exchange) leave() {
	x.unlock()
	if x.refusing > 0 {
		x.box.pauseListeners(x.refusing)
	}
	x.entry.Status, x.entry.Took = x.w.status, time.Since(x.entry.Began)
	x.box.inFlight.Add(-1)
	if x.postponed != nil {
		x.entry.Late = true
		x.box.late.put(x.delay, x.postponed, x.log)
	} else {
		x.log()
	}
	if x.dead != nil {
		kill(x.dead)
	}
}

func (x *exchange) log() {
	if x.box.options.Log != nil {
		x.box.options.Log(x.entry)
	}
}
