package sources

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/pipeline"
)

// TestContract holds every format of the table to what pipeline.Source and
// pipeline.Decoder promise. A format without a fixture fails.
func TestContract(t *testing.T) {
	for _, f := range formats {
		t.Run(f.name, func(t *testing.T) {
			fixtures, err := filepath.Glob(filepath.Join("testdata", "contract", f.name+".*"))
			if err != nil || len(fixtures) == 0 {
				t.Fatalf("no fixture testdata/contract/%s.*", f.name)
			}
			for _, path := range fixtures {
				contract(t, path)
			}
		})
	}
}

func contract(t *testing.T, path string) {
	want := contractRows(t, path, 1<<20)
	if len(want) < 5 {
		t.Fatalf("%s: %d rows are too few to show anything", path, len(want))
	}
	t.Run("same rows whatever the block size", func(t *testing.T) {
		for size := 64; size < 1<<20; size *= 2 {
			if diff := cmp.Diff(sorted(want), sorted(contractRows(t, path, size))); diff != "" {
				t.Fatalf("blocks of %d (-1 MiB +got):\n%s", size, diff)
			}
		}
	})
	t.Run("Next after the end", func(t *testing.T) { contractEnd(t, path) })
	t.Run("Next gives up when the context ends", func(t *testing.T) { contractCancel(t, path) })
	t.Run("decoders run side by side", func(t *testing.T) { contractDecoders(t, path) })
	t.Run("Info", func(t *testing.T) { contractInfo(t, path) })
}

func mustOpen(t *testing.T, path string, size int) (pipeline.Source, *Info) {
	t.Helper()
	s, info, err := Open(path, &Options{BlockSize: size})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s, info
}

func contractRows(t *testing.T, path string, size int) []string {
	t.Helper()
	s, _ := mustOpen(t, path, size)
	rows, err := dumpRows(t, s)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func contractEnd(t *testing.T, path string) {
	s, _ := mustOpen(t, path, 0)
	var block pipeline.Block
	var err error
	for err == nil {
		err = s.Next(context.Background(), &block)
	}
	for range 3 {
		if err != io.EOF || len(block.Data) != 0 {
			t.Fatalf("error %v with %d bytes, want io.EOF with none", err, len(block.Data))
		}
		err = s.Next(context.Background(), &block)
	}
}

func contractCancel(t *testing.T, path string) {
	s, _ := mustOpen(t, path, 64)
	ctx, cancel := context.WithCancel(context.Background())
	var block pipeline.Block
	if err := s.Next(ctx, &block); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := s.Next(ctx, &block); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want context.Canceled", err)
	}
}

// contractDecoders decodes all blocks with several decoders at once, and holds
// the numbers of the rows to be strictly increasing from block to block.
func contractDecoders(t *testing.T, path string) {
	s, _ := mustOpen(t, path, 64)
	var blocks []*pipeline.Block
	for end := int64(0); ; {
		b := &pipeline.Block{}
		if err := s.Next(context.Background(), b); err != nil {
			break
		}
		if b.End < end {
			t.Errorf("End falls from %d to %d", end, b.End)
		}
		end = b.End
		blocks = append(blocks, b)
	}
	dumps, numbers := make([][]string, len(blocks)), make([][]int64, len(blocks))
	var wg sync.WaitGroup
	for w := range 4 {
		d := s.Decoder()
		wg.Go(func() {
			var batch pipeline.Batch
			for i := w; i < len(blocks); i += 4 {
				if err := d.Decode(blocks[i], &batch); err != nil {
					t.Error(err)
				}
				dumps[i], numbers[i] = dumpBatch(&batch), slices.Clone(batch.Rows)
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(sorted(contractRows(t, path, 1<<20)), sorted(slices.Concat(dumps...))); diff != "" {
		t.Errorf("rows (-one decoder +four):\n%s", diff)
	}
	all := slices.Concat(numbers...)
	for i := 1; i < len(all); i++ {
		if all[i] <= all[i-1] {
			t.Errorf("row number %d comes after %d", all[i], all[i-1])
		}
	}
}

func contractInfo(t *testing.T, path string) {
	s, info := mustOpen(t, path, 0)
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Format == "" || info.Size != st.Size() {
		t.Errorf("format %q, size %d, want size %d", info.Format, info.Size, st.Size())
	}
	var block pipeline.Block
	for s.Next(context.Background(), &block) == nil {
	}
	if block.End != info.Size {
		t.Errorf("End is %d at the end, want %d", block.End, info.Size)
	}
	if len(s.Columns()) == 0 {
		t.Error("no columns")
	}
}
