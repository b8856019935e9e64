package bulk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"flytt/internal/api"
	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

func TestBulkWritesRowsAndKeepsTheirIDs(t *testing.T) {
	f := &fakeAPI{after: func(_ int, answer []any) []any {
		slices.Reverse(answer)
		return answer
	}}
	s := f.bulk(t, ImportOptions{})
	c := bulkChunk(t, s, 0, 6)
	// As a journal leaves it on a replay: some rows are settled, with their ids.
	c.Fates[0], c.Fates[4] = pipeline.Written, pipeline.Rejected
	for i := range c.Fates {
		if i == 0 {
			c.IDs.Append([]byte("earlier"))
		} else {
			c.IDs.AppendNull()
		}
	}
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantFates(t, "replay", c, "1 rejected, 5 written")
	for i, want := range []string{"earlier", "id-K-0001", "id-K-0002", "id-K-0003", "", "id-K-0005"} {
		if got := string(c.IDs.Value(i)); got != want {
			t.Errorf("row %d: id %q, want %q", i, got, want)
		}
	}
	if f.posts != 1 || f.times("K-0000") != 0 || f.times("K-0004") != 0 {
		t.Errorf("%d requests; settled rows sent", f.posts)
	}
	if undone, err := s.Abort(); undone || err != nil {
		t.Errorf("Abort: %v, %v", undone, err)
	}
	if err := s.Commit(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestBulkWithNothingPendingSendsNothing(t *testing.T) {
	f := &fakeAPI{}
	s := f.bulk(t, ImportOptions{Target: Target{KeyLookup: true}})
	c := bulkChunk(t, s, 0, 2)
	c.SetPending(pipeline.Skipped)
	if err := s.Write(t.Context(), c); err != nil || f.posts+f.gets != 0 || c.IDs.Len() != 0 {
		t.Errorf("%v, %d requests", err, f.posts+f.gets)
	}
}

func TestBulkEchoWithoutIDsIsWritten(t *testing.T) {
	s := bulkTo(t, "https://x.se", echo{}, ImportOptions{})
	c := bulkChunk(t, s, 0, 3)
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantFates(t, "echo", c, "3 written")
	if c.IDs.Len() != 0 {
		t.Errorf("%d ids", c.IDs.Len())
	}
}

// TestBulkAnswersThatProveLittle meets answers of success that do not show all rows.
func TestBulkAnswersThatProveLittle(t *testing.T) {
	tests := map[string]struct {
		after func(int, []any) []any
		body  string
		want  string
	}{
		"one short":    {after: func(_ int, a []any) []any { return a[1:] }, want: "4 written, 1 in_doubt"},
		"one too many": {after: func(_ int, a []any) []any { return append(a, map[string]any{"id": "x"}) }, want: "5 written"},
		"a stranger": {after: func(_ int, a []any) []any {
			a[2] = map[string]any{"id": "x", "custom_id": "stranger"}
			return a[1:]
		}, want: "3 written, 2 in_doubt"},
		"a stranger, all ids": {after: func(_ int, a []any) []any {
			a[2] = map[string]any{"id": "x", "custom_id": "stranger"}
			return a
		}, want: "5 written"},
		"none":         {after: func(int, []any) []any { return []any{} }, want: "5 in_doubt"},
		"HTML":         {body: "<html><title>Log in</title></html>", want: "5 in_doubt"},
		"cut":          {body: `[{"id":"1","custom_id":"K-0000"},{"id":`, want: "5 in_doubt"},
		"empty":        {body: " ", want: "5 in_doubt"},
		"accepted":     {body: `{"task":"17"}`, want: "5 in_doubt"},
		"error inside": {body: `[{"custom_id":"K-0000","errors":{"name":["no"]}},{"id":"1","custom_id":"K-0001"}]`, want: "1 rejected, 1 written, 3 in_doubt"},
	}
	for name, test := range tests {
		f := &fakeAPI{after: test.after}
		if test.body != "" {
			f.before = func(_ int, w http.ResponseWriter) bool {
				_, _ = io.WriteString(w, test.body)
				return true
			}
		}
		s := f.bulk(t, ImportOptions{})
		c := bulkChunk(t, s, 0, 5)
		if err := s.Write(t.Context(), c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wantFates(t, name, c, test.want)
		if f.posts != 1 {
			t.Errorf("%s: sent %d times", name, f.posts)
		}
	}
}

func TestBulkStopsWithoutRejecting(t *testing.T) {
	for _, status := range []int{401, 403, 404, 405, 415, 301, 302, 307, 308} {
		f := &fakeAPI{before: func(post int, w http.ResponseWriter) bool {
			if post < 3 {
				return false
			}
			w.Header().Set("Location", "https://elsewhere.se/")
			w.WriteHeader(status)
			return true
		}}
		s := f.bulk(t, ImportOptions{Limits: Limits{MaxBytes: 1 << 10}})
		c := bulkChunk(t, s, 0, 100)
		err := s.Write(t.Context(), c)
		var stop *api.StatusError
		if !errors.As(err, &stop) || stop.Status != status {
			t.Errorf("%d: %v", status, err)
		}
		if got := c.Pending(); got == 0 || len(c.Problems) != 0 || f.posts != 3 {
			t.Errorf("%d: %s after %d requests", status, fates(c), f.posts)
		}
		f.wantOnce(t, fmt.Sprint(status), c)
	}
}

func TestBulkWaitsOutAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeAPI{before: func(post int, w http.ResponseWriter) bool {
			now := time.Now().UTC()
			w.Header().Set("Date", now.Add(-time.Hour).Format(http.TimeFormat))
			switch {
			case post > 40:
				return false
			case post%3 == 0:
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(http.StatusServiceUnavailable)
			case post%3 == 1:
				w.Header().Set("Retry-After", now.Add(-time.Hour+9*time.Second).Format(http.TimeFormat))
				w.WriteHeader(http.StatusTooManyRequests)
			default:
				w.WriteHeader(http.StatusTooManyRequests)
			}
			return true
		}}
		s := f.bulk(t, ImportOptions{})
		start := time.Now()
		c := bulkChunk(t, s, 0, 10)
		if err := s.Write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		wantFates(t, "storm", c, "10 written")
		f.wantOnce(t, "storm", c)
		if d := time.Since(start); f.posts != 41 || d < 26*7*time.Second {
			t.Errorf("%d requests in %v", f.posts, d)
		}
	})
}

func TestBulkDoubtfulStatuses(t *testing.T) {
	for _, status := range []int{408, 500, 502, 503, 504, 599} {
		f := &fakeAPI{before: func(post int, w http.ResponseWriter) bool {
			if post == 1 {
				w.WriteHeader(status)
			}
			return post == 1
		}}
		s := f.bulk(t, ImportOptions{})
		first, second := bulkChunk(t, s, 0, 3), bulkChunk(t, s, 3, 3)
		if err := errors.Join(s.Write(t.Context(), first), s.Write(t.Context(), second)); err != nil {
			t.Errorf("%d: %v", status, err)
		}
		wantFates(t, fmt.Sprint(status), first, "3 in_doubt")
		wantFates(t, fmt.Sprint(status), second, "3 written")
		if f.posts != 2 {
			t.Errorf("%d: %d requests for 2 chunks", status, f.posts)
		}
	}
}

func TestBulkStopsWhenEverythingEndsInDoubt(t *testing.T) {
	f := &fakeAPI{before: func(_ int, w http.ResponseWriter) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	}}
	s := f.bulk(t, ImportOptions{Limits: Limits{MaxDoubts: 3}})
	for i := range 3 {
		c := bulkChunk(t, s, 0, 3)
		err := s.Write(t.Context(), c)
		wantFates(t, "dead API", c, "3 in_doubt")
		var hint interface{ Hint() string }
		if (err != nil) != (i == 2) || err != nil && !errors.As(err, &hint) {
			t.Errorf("chunk %d: %v", i, err)
		}
	}
}

func TestBulkHalvesWhatIsTooLargeAndRemembers(t *testing.T) {
	f := &fakeAPI{maxItems: 30}
	s := f.bulk(t, ImportOptions{})
	c := bulkChunk(t, s, 0, 100)
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantFates(t, "first", c, "100 written")
	before := f.posts
	c = bulkChunk(t, s, 100, 100)
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantFates(t, "second", c, "100 written")
	f.wantOnce(t, "second", c)
	for _, n := range f.sizes[before:] {
		if n > 30 {
			t.Errorf("sent %d items after the limit was known", n)
		}
	}

	f = &fakeAPI{maxItems: -1, before: func(_ int, w http.ResponseWriter) bool {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return true
	}}
	s = f.bulk(t, ImportOptions{})
	c = bulkChunk(t, s, 0, 4)
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantFates(t, "nothing fits", c, "4 rejected")
	if got := codes(c); got != "4 item_too_large" {
		t.Error(got)
	}
}

func TestBulkWaitIsInterruptible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeAPI{before: func(_ int, w http.ResponseWriter) bool {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}}
		s := f.bulk(t, ImportOptions{})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		c := bulkChunk(t, s, 0, 3)
		err := s.Write(ctx, c)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		wantFates(t, "interrupted", c, "3 pending")
	})
}

func TestBulkProblemsNameFieldAndColumn(t *testing.T) {
	f := &fakeAPI{before: func(_ int, w http.ResponseWriter) bool {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `[{"external_client":["unknown"],"colour":["odd"]},{"name":["long","rude"]},{"non_field_errors":["no"]}]`)
		return true
	}}
	s := f.bulk(t, ImportOptions{Comparison: Comparison{Columns: []int16{7, 8, 9}}, Atomicity: AllOrNothing})
	c := bulkChunk(t, s, 0, 3)
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range c.Problems {
		got = append(got, fmt.Sprintf("%d %d %d %v %v %s %q", p.Row, p.Field, p.Column, p.Stage, p.Severity, p.Code, p.Private))
	}
	want := []string{
		`0 1 8 write error refused "unknown"`, `0 -1 -1 write error refused "colour: odd"`,
		`1 0 7 write error refused "long"`, `1 0 7 write error refused "rude"`, `2 -1 -1 write error refused "no"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestBulkLogsAndErrorsShowNoValues(t *testing.T) {
	log, out := logged()
	for _, text := range []string{`[{"name":["Ada 1 is odd"]},{}]`, `{"detail":"Ada 1"}`, `Ada 0`} {
		for _, status := range []int{200, 400, 401, 500} {
			f := &fakeAPI{before: func(post int, w http.ResponseWriter) bool {
				if post == 1 {
					return false
				}
				w.WriteHeader(status)
				_, _ = io.WriteString(w, text)
				return true
			}}
			s := f.bulk(t, ImportOptions{Target: Target{KeyLookup: true}, Log: log})
			c := bulkChunk(t, s, 0, 3)
			if err := s.Write(t.Context(), c); err != nil {
				fmt.Fprintln(out, err)
			}
			for _, p := range c.Problems {
				fmt.Fprintln(out, p.Code, p.Shape)
			}
		}
	}
	if out.Len() == 0 || strings.Contains(out.String(), "Ada") || strings.Contains(out.String(), "K-0") || strings.Contains(out.String(), "custom_id__in") {
		t.Errorf("logs hold values:\n%s", out)
	}
}

func TestBulkCodesAreListed(t *testing.T) {
	for _, code := range []pipeline.Code{codeRefused, codeRefusedChunk, codeItemTooLarge, CodeKeyConflict, CodeKeyNotUnique, codeNotFound, codeNoKey, codeKeyUnusable, codeDuplicateInFile, codeStoredOtherwise} {
		if !slices.ContainsFunc(Codes, func(i pipeline.CodeInfo) bool { return i.Code == code }) {
			t.Errorf("%s is not listed", code)
		}
	}
}

func TestNewBulkRefusesWhatCannotWork(t *testing.T) {
	if _, err := NewImport(nil, bulkSchema(), ImportOptions{Target: Target{Path: "/organization/list"}}); err == nil {
		t.Error("path without a slash accepted")
	}
	if _, err := NewImport(nil, pipelinetest.Schema("a", "a.b"), ImportOptions{Target: Target{Path: "/a/"}}); err == nil {
		t.Error("colliding names accepted")
	}
	for in, want := range map[string]Atomicity{"": UnknownAtomicity, "unknown": UnknownAtomicity, "all": AllOrNothing, "partial": PartialWrites} {
		if got, err := ParseAtomicity(in); err != nil || got != want {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
	if _, err := ParseAtomicity("some"); err == nil {
		t.Error("atomicity some accepted")
	}
}

func TestBulkTakesConcurrentWrites(t *testing.T) {
	f := &fakeAPI{detail: true}
	s := f.bulk(t, ImportOptions{Target: Target{KeyLookup: true}})
	chunks := make([]*pipeline.Chunk, 16)
	var wg sync.WaitGroup
	for i := range chunks {
		chunks[i] = bulkChunk(t, s, 50*i, 50, 50*i, 50*i+7)
		wg.Go(func() {
			if err := s.Write(t.Context(), chunks[i]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, c := range chunks {
		wantFates(t, "concurrent", c, "2 rejected, 48 written")
		f.wantOnce(t, "concurrent", c)
	}
}

// echo answers each request with its own body.
type echo struct{}

func (echo) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body))}, nil
}

func BenchmarkBulkWrite(b *testing.B) {
	s := bulkTo(b, "https://x.se", echo{}, ImportOptions{})
	c := bulkChunk(b, s, 0, 500)
	if !json.Valid(c.Item(0)) {
		b.Fatal("no JSON")
	}
	b.SetBytes(int64(len(c.Data)))
	b.ReportAllocs()
	for b.Loop() {
		for i := range c.Fates {
			c.Fates[i] = pipeline.Pending
		}
		if err := s.Write(b.Context(), c); err != nil || c.Fates[499] != pipeline.Written {
			b.Fatal(err, fates(c))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/row")
}
