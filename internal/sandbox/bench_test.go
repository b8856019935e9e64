package sandbox_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
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

// BenchmarkBulk writes chunks over loopback, client and server on one machine.
func BenchmarkBulk(b *testing.B) {
	s := open(b, sandbox.Options{})
	server := httptest.NewServer(s)
	defer server.Close()
	body := chunk()
	b.SetBytes(int64(len(body)))
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			post(b, server, body)
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
	for b.Loop() {
		if r := do(s, "POST", base+"list/", body); r.status != http.StatusCreated {
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
