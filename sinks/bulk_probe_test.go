package sinks

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestUpsertMakesNoRowWhoseKeyIsChanged upserts into an API that puts something in front of
// some keys: one row tells; the others would be made again by every run.
func TestUpsertMakesNoRowWhoseKeyIsChanged(t *testing.T) {
	for _, skip := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := newRegister(2)
			g.form = func(item map[string]any) { item["custom_id"] = strings.Replace(item["custom_id"].(string), "k", "OLD-k", 1) }
			rows := creates(0, 1, 6)[0]
			for _, row := range rows[3:] {
				row[2] = "k" + row[2][1:]
			}
			r := &trial{api: g, journal: newMemory(), chunks: [][][]string{rows}, options: BulkOptions{Mode: Upsert, KeyContains: true, Settle: time.Second}}
			if skip {
				r.options.Mode, r.options.SkipExisting = CreateOnly, true
			}
			for range 2 {
				r.first(t)
				r.journal = newMemory()
			}
			fates, _ := r.first(t)
			if want := "unchanged, unchanged, unchanged"; !strings.HasPrefix(fates[0], want) {
				t.Errorf("%s", fates[0])
			}
			// A row of the first run tells that keys of small letters are changed, and its record
			// tells the others.
			if len(g.records) != 3+1 || strings.Count(fates[0], "key_not_kept") != 3 {
				t.Errorf("%d records; %s", len(g.records), fates[0])
			}
		})
	}
}
