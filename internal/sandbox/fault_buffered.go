package sandbox

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/jsonscan"
)

// bufferedAnswer buffers an answer because faults change it before it is sent. It is
// the http.ResponseWriter of the request.
type bufferedAnswer struct {
	http.ResponseWriter // of the client; only its Header is used
	status              int
	body                []byte

	pace   int  // bytes a second; 0: no limit
	breaks bool // the connection ends after the body
	stall  bool // nothing more is sent after half of the body
	whole  int  // length of the body before it was cut; 0: it was not cut
}

func (a *bufferedAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *bufferedAnswer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.body = append(a.body, p...)
	return len(p), nil
}

// Unwrap gives http.ResponseController the writer underneath.
func (a *bufferedAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// cut leaves n bytes of the body, or half of it if n is 0, but never a complete object
// at its end.
func (a *bufferedAnswer) cut(n int, breaks bool) {
	a.breaks = a.breaks || breaks
	if n == 0 {
		n = len(a.body) / 2
	}
	n = min(n, max(len(a.body)-1, 0))
	for n > 0 && (a.body[n-1] == '}' || a.body[n-1] == '\n') {
		n--
	}
	a.whole, a.body = len(a.body), a.body[:n]
}

// rows are the objects of a list in an answer, and what surrounds and separates them.
type rows struct {
	open, between, end []byte
	objects            [][]byte
}

// listOpenings are how bodies with a list of rows or items start.
var listOpenings = []string{array.open, envelope.open, `{"success":true,"data":[`, `{"errors":true,"items":[`, `{"errors":false,"items":[`}

// rows splits the answer into rows; ok is false if it is not a list.
func (a *bufferedAnswer) rows() (r rows, ok bool) {
	if a.status >= 300 {
		return r, false
	}
	if a.Header().Get("Content-Type") == jsonLines.contentType {
		r.between, r.end = []byte("\n"), []byte("\n")
		r.objects = bytes.Split(bytes.TrimSuffix(a.body, r.end), r.between)
		return r, len(a.body) > 0
	}
	open := bytes.IndexByte(a.body, '[')
	end := bytes.LastIndexByte(a.body, ']')
	if open < 0 || end < open || !slices.Contains(listOpenings, string(a.body[:open+1])) {
		return r, false
	}
	r.open, r.between, r.end = a.body[:open+1], []byte(","), a.body[end:]
	d := jsontext.NewDecoder(bytes.NewBuffer(a.body[open : end+1]))
	_, _ = d.ReadToken()
	for d.PeekKind() == '{' {
		object, err := d.ReadValue()
		if err != nil {
			return r, false
		}
		r.objects = append(r.objects, bytes.Clone(object))
	}
	return r, true
}

func (r *rows) bytes() []byte {
	if len(r.objects) == 0 && r.open == nil {
		return nil
	}
	body := append(bytes.Clone(r.open), bytes.Join(r.objects, r.between)...)
	return append(body, r.end...)
}

// recount removes rows from the end of a list, or repeats its last row.
func (a *bufferedAnswer) recount(n int) {
	r, ok := a.rows()
	if !ok || len(r.objects) == 0 {
		return
	}
	if n < 0 {
		r.objects = r.objects[:max(len(r.objects)+n, 0)]
	}
	for range n {
		r.objects = append(r.objects, r.objects[len(r.objects)-1])
	}
	a.body = r.bytes()
}

// repeatID gives the last row of a list the id of its first.
func (a *bufferedAnswer) repeatID() {
	r, ok := a.rows()
	if !ok || len(r.objects) < 2 {
		return
	}
	last := len(r.objects) - 1
	first, old := jsonscan.Member(r.objects[0], "id"), jsonscan.Member(r.objects[last], "id")
	if first != nil && old != nil {
		r.objects[last] = bytes.Replace(r.objects[last], old, first, 1)
	}
	a.body = r.bytes()
}

// deliver sends the answer to the client.
func (x *exchange) deliver(a *bufferedAnswer) {
	if a.status == 0 {
		return
	}
	if a.whole > 0 && a.breaks && x.entry.Operation != opList {
		length := a.whole
		if x.w.mark && x.w.hasJSON() {
			length += len(byteOrderMark)
		}
		x.w.Header().Set("Content-Length", strconv.Itoa(length)) // lists come in chunks
	}
	x.w.WriteHeader(a.status)
	body := a.body
	if a.stall {
		body = body[:len(body)/2]
	}
	x.send(body, a.pace)
	switch {
	case a.stall:
		x.sleep(-1)
		panic(http.ErrAbortHandler)
	case a.breaks:
		panic(http.ErrAbortHandler)
	}
}

// send writes the body, pace bytes a second, in pieces of a tenth of that.
func (x *exchange) send(body []byte, pace int) {
	flush := http.NewResponseController(x.w).Flush
	piece := len(body)
	var pause time.Duration
	if pace > 0 {
		piece = max(pace/10, 1)
		pause = time.Duration(piece) * time.Second / time.Duration(pace)
	}
	_ = flush() // the headers; where a client is gone nobody is left to tell
	for len(body) > 0 {
		n := min(piece, len(body))
		_, _ = x.w.Write(body[:n])
		_ = flush()
		if body = body[n:]; pause > 0 && !x.sleep(pause) {
			panic(http.ErrAbortHandler)
		}
	}
}
