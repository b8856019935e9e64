package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"flytt/internal/jsonscan"
)

// echo answers bulk writes with the rows that came, each with an id before its
// members, after a while. It keeps the last row alone that came by itself, which is
// what a writer reads back to see that it can.
type echo struct {
	delay time.Duration

	mu   sync.Mutex
	made int
	kept []byte // the answer to the last request with one row
}

// keyed is the filter by which a writer looks rows up.
const keyed = "custom_id__in"

// ServeHTTP answers a bulk write.
func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	if r.ContentLength > 0 {
		body.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	if _, err := io.Copy(&body, r.Body); err != nil {
		http.Error(w, `{"detail":"the body was cut"}`, http.StatusBadRequest)
		return
	}
	if !json.Valid(body.Bytes()) {
		http.Error(w, `{"detail":"no JSON"}`, http.StatusBadRequest)
		return
	}
	time.Sleep(e.delay)
	answer := e.answer(elements(body.Bytes()))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(answer)
}

// answer gives rows ids.
func (e *echo) answer(rows [][]byte) []byte {
	e.mu.Lock()
	first := e.made
	e.made += len(rows)
	e.mu.Unlock()
	var b bytes.Buffer
	b.WriteByte('[')
	for i, row := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"00000000-0000-4000-8000-%012d",`, first+i)
		b.Write(row[1:])
	}
	b.WriteByte(']')
	if len(rows) == 1 {
		e.mu.Lock()
		e.kept = b.Bytes()
		e.mu.Unlock()
	}
	return b.Bytes()
}

// lookUp answers what is asked of rows by their keys.
func (e *echo) lookUp(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	keys := strings.Split(query.Get(keyed), ",")
	if page := query.Get("_page"); page != "" && page != "1" {
		keys = nil
	}
	e.mu.Lock()
	kept := e.kept
	e.mu.Unlock()
	var found [][]byte
	for _, row := range elements(kept) {
		if key := jsonscan.Text(jsonscan.Member(row, "custom_id")); slices.Contains(keys, string(key)) {
			found = append(found, row)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, "[%s]", bytes.Join(found, []byte(",")))
}

// elements returns the objects of an array, which has to be whole.
func elements(array []byte) (objects [][]byte) {
	for _, v := range jsonscan.Members(array) {
		if len(v) > len("{}") {
			objects = append(objects, v)
		}
	}
	return objects
}
