package sources

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"flytt/pipeline"
)

const benchRows = 50_000

// quotedCSV has every cell in quotes.
func quotedCSV() []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(bytes.ReplaceAll(bytes.ReplaceAll(sampleCSV(benchRows),
		[]byte(`"`), nil), []byte("Hem, och"), []byte("Hem och")), []byte(","), []byte(`","`)), []byte("\n"), []byte("\"\n\""))
}

func benchCut(b *testing.B, content []byte) {
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	var block pipeline.Block
	for b.Loop() {
		s, _, err := Open("-", &Options{Stdin: bytes.NewReader(content)})
		if err != nil {
			b.Fatal(err)
		}
		for err = nil; err == nil; {
			err = s.Next(context.Background(), &block)
		}
		if err != io.EOF {
			b.Fatal(err)
		}
		s.Close()
	}
}

// BenchmarkCut includes opening and detection.
func BenchmarkCut(b *testing.B) {
	b.Run("some quotes", func(b *testing.B) { benchCut(b, sampleCSV(benchRows)) })
	b.Run("no quotes", func(b *testing.B) { benchCut(b, bytes.ReplaceAll(sampleCSV(benchRows), []byte(`"`), []byte("'"))) })
	b.Run("all quotes", func(b *testing.B) { benchCut(b, append([]byte(`"`), bytes.TrimSuffix(quotedCSV(), []byte(`"`))...)) })
}

func benchDecode(b *testing.B, content []byte) {
	s, _, err := Open("-", &Options{Stdin: bytes.NewReader(content)})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var blocks []pipeline.Block
	total := 0
	for {
		var block pipeline.Block
		if s.Next(context.Background(), &block) != nil {
			break
		}
		total += len(block.Data)
		blocks = append(blocks, block)
	}
	b.SetBytes(int64(total))
	b.ReportAllocs()
	d := s.Decoder()
	var batch pipeline.Batch
	var work pipeline.Block
	for b.Loop() {
		for _, block := range blocks {
			data := append(work.Data[:0], block.Data...) // decoding changes it in place
			work = block
			work.Data = data
			if err := d.Decode(&work, &batch); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkDecode includes a copy of each block, a twentieth of the time.
func BenchmarkDecode(b *testing.B) {
	latin, err := charmap.Windows1252.NewEncoder().Bytes(sampleCSV(benchRows))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("utf-8", func(b *testing.B) { benchDecode(b, sampleCSV(benchRows)) })
	b.Run("windows-1252", func(b *testing.B) { benchDecode(b, latin) })
	b.Run("all quotes", func(b *testing.B) { benchDecode(b, append([]byte(`"`), bytes.TrimSuffix(quotedCSV(), []byte(`"`))...)) })
	b.Run("json", func(b *testing.B) { benchDecode(b, sampleJSONL(benchRows)) })
	b.Run("json array", func(b *testing.B) {
		rows := bytes.TrimSuffix(sampleJSONL(benchRows), []byte("\n"))
		benchDecode(b, slices.Concat([]byte("["), bytes.ReplaceAll(rows, []byte("\n"), []byte(",\n")), []byte("]")))
	})
}

// sampleJSONL is n rows as an export of the API has them.
func sampleJSONL(n int) []byte {
	var out []byte
	for i := range n {
		out = fmt.Appendf(out, `{"custom_id":"L-%06d","client_type":"person","first_name":"Anna","last_name":"Åkerström","email":"anna.%d@example.se",`+
			`"phone":"+4670%07d","external_client":{"id":"0b8ef0d7-0d9e-4a32-a2c3-%012d","name":"Bolaget \"AB\""},`+
			`"address":{"street":"Storgatan %d","city":"Malmö","zip":"21142"},"rent":%d.50,"active":true,"tags":["a","b"],"note":null,`+
			`"created_at":"2026-01-30T12:00:00Z"}`+"\n", i, i, i, i, i%100, i)
	}
	return out
}
