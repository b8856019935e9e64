package runs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/journal"
	"flytt/pipeline"
)

func TestCountEntry(t *testing.T) {
	entries := []journal.Entry{
		{Chunk: journal.Chunk{Rows: 2}, State: journal.Planned},
		{Chunk: journal.Chunk{Rows: 3}, State: journal.Sending, Sent: []int32{0, 2}},
		{Chunk: journal.Chunk{Rows: 8}, State: journal.Settled, Settlement: journal.Settlement{Fates: []pipeline.Fate{
			pipeline.Written, pipeline.Updated, pipeline.Unchanged, pipeline.Skipped,
			pipeline.Rejected, pipeline.Broken, pipeline.InDoubt, pipeline.NotSent,
		}}},
		{Chunk: journal.Chunk{Rows: 2}, State: journal.Sending, Sent: []int32{1},
			Settlement: journal.Settlement{Fates: []pipeline.Fate{pipeline.Written, pipeline.Pending}}},
	}
	var got pipeline.Counts
	for i := range entries {
		countEntry(&got, &entries[i])
	}
	want := pipeline.Counts{Read: 15, Written: 3, Updated: 1, Unchanged: 1, Skipped: 1, Rejected: 2, InDoubt: 4, NotSent: 4}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRowsOfFilesThatAreNotFlytts(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"written.csv":  "nr;key\r\n1;a\r\n",
		"rejects.csv":  "Nr;Namn\r\n1;a\r\n",
		"in_doubt.csv": "\uFEFFNr;_row;_errors\r\n1;x;y\r\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := eachRow(path, func(int64) error { return nil })
		if err == nil || !strings.Contains(err.Error(), "is not as flytt wrote it") {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := eachRow(path, func(int64) error { return nil }); err != nil {
			t.Errorf("%s that is not there: %v", name, err)
		}
	}
}

func TestWrittenRowsOfAnyDelimiter(t *testing.T) {
	for _, d := range []string{";", ",", "\t", "|"} {
		path := filepath.Join(t.TempDir(), "written.csv")
		text := strings.ReplaceAll("\uFEFFrow;key;id;change\r\n2;\"a\r\n7\";x;created\r\n3;'=b;y;updated\r\n", ";", d)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var got []string
		err := eachWritten(path, func(w WrittenRow) error {
			got = append(got, fmt.Sprintf("%d %s %s", w.Row, w.Key, w.ID))
			return nil
		})
		if diff := cmp.Diff([]string{"2 a\r\n7 x", "3 =b y"}, got); err != nil || diff != "" {
			t.Errorf("%q: %v %s", d, err, diff)
		}
	}
}
