package main

import (
	"errors"
	"io"
	"net/http/httptest"
	"testing"

	"flytt/internal/api"
	apilist "flytt/internal/api/list"
)

// BenchmarkReading reads all rows through the client, over loopback, server and
// client on one machine.
func BenchmarkReading(b *testing.B) {
	const rows = 100_000
	l := newList(rows)
	server := httptest.NewServer(l)
	defer server.Close()
	c, err := api.New(api.Config{BaseURL: server.URL, Credentials: api.Credentials{
		CustomerID: "x", ApplicationID: "x", ServiceID: "x", ServiceVersionID: "x",
		ClientCT: "x", ClientEntity: "x", ClientSecret: "x",
	}})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	for name, o := range map[string]apilist.Options{
		"created": {Created: "created_at"}, "alone": {Created: "created_at", Concurrency: 1}, "plain": {}, "whole": {SingleResponse: true},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(l.data)))
			b.ReportAllocs()
			for b.Loop() {
				read(b, apilist.Open(c, apilist.NewQuery(path, nil), o), rows)
			}
			b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func read(b *testing.B, r *apilist.Rows, want int64) {
	defer r.Close()
	var buf []byte
	for {
		data, _, err := r.Next(b.Context(), buf[:0])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		buf = data
	}
	if a := r.Account(); !a.Complete || a.Rows != want {
		b.Fatalf("%+v", a)
	}
}
