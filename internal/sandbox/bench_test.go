package sandbox_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"flytt/internal/sandbox"
)

const chunkRows = 500

// chunk renders a bulk body of real-looking rows.
func chunk() string {
	items := make([]string, chunkRows)
	for i := range items {
		items[i] = person("Karin Åkesson-Lindström", fmt.Sprintf(`,"ssn":"198501022399","custom_id":"K-%d","first_name":"Karin",`+
			`"last_name":"Åkesson-Lindström","email":"karin.%d@example.com","phone_number":"+46701234567","corporate_name":"Exempelbolaget AB"`, i, i))
	}
	return bulk(items...)
}

// numbered returns a chunk with keys of its own: random keys, or ever the same
// ones, would measure the index of the key.
func numbered(body string, n int64) string {
	return strings.ReplaceAll(body, `"K-`, fmt.Sprintf(`"K%06d-`, n))
}

// BenchmarkBulk writes chunks over loopback, client and server on one machine.
func BenchmarkBulk(b *testing.B) {
	s := open(b, sandbox.Options{})
	server := httptest.NewServer(s)
	defer server.Close()
	body := chunk()
	b.SetBytes(int64(len(body)))
	var n atomic.Int64
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			post(b, server, numbered(body, n.Add(1)))
		}
	})
	b.ReportMetric(float64(b.N)*chunkRows/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkBulkServer is the server's part of it.
func BenchmarkBulkServer(b *testing.B) {
	s := open(b, sandbox.Options{})
	body := chunk()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	n := int64(0)
	for b.Loop() {
		n++
		if r := do(s, "POST", base+"list/", numbered(body, n)); r.status != http.StatusCreated {
			b.Fatal(r.body)
		}
	}
	b.ReportMetric(float64(b.N)*chunkRows/b.Elapsed().Seconds(), "rows/s")
}

func post(b *testing.B, server *httptest.Server, body string) {
	r := request("POST", server.URL+base+"list/", body)
	r.RequestURI = ""
	r.Body = io.NopCloser(strings.NewReader(body))
	answer, err := server.Client().Do(r)
	if err != nil {
		b.Error(err)
		return
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusCreated {
		b.Errorf("status %d: %v", answer.StatusCode, err)
	}
}

// BenchmarkList reads 50,000 rows unpaged as JSON lines over loopback.
func BenchmarkList(b *testing.B) {
	s := open(b, sandbox.Options{})
	body := chunk()
	for range 100 {
		do(s, "POST", base+"list/", body)
	}
	server := httptest.NewServer(s)
	defer server.Close()
	for b.Loop() {
		r := request("GET", server.URL+base+"list/?_jsonl=true", "")
		r.RequestURI = ""
		answer, err := server.Client().Do(r)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, answer.Body)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(n)
		answer.Body.Close()
	}
	b.ReportMetric(float64(b.N)*100*chunkRows/b.Elapsed().Seconds(), "rows/s")
}
