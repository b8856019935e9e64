package main

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"flytt/internal/sandbox"
)

// requestLog returns a function that prints a line for each request.
func (a *app) requestLog() func(sandbox.Request) {
	var mu sync.Mutex
	return func(r sandbox.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintln(a.stderr, requestLine(r)) // nobody to tell
	}
}

// requestLine says what became of a request, without any value of it: of the
// query it has the names.
func requestLine(r sandbox.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s %s", r.Number, r.Method, (&url.URL{Path: r.Path}).EscapedPath())
	for i, name := range r.Query {
		b.WriteByte("?&"[min(i, 1)])
		b.WriteString(strings.ReplaceAll(url.QueryEscape(name), "%21", "!"))
	}
	if r.Status == 0 {
		b.WriteString(" cut")
	} else {
		fmt.Fprintf(&b, " %d", r.Status)
	}
	fmt.Fprintf(&b, " rows=%d committed=%d took=%s", r.Rows, r.Committed, r.Took.Round(time.Millisecond))
	if r.Late {
		b.WriteString(" late")
	}
	for _, fault := range r.Faults {
		b.WriteString(" fault=" + fault)
	}
	return b.String()
}
