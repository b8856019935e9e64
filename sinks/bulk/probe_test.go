package bulk

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flytt/pipeline/pipelinetest"
)

// TestUpsertMakesNoRowWhoseKeyIsChanged upserts into an API that puts something in front of
// some keys: one row tells; the others would be made again by every run.
func TestUpsertMakesNoRowWhoseKeyIsChanged(t *testing.T) {
	for _, skip := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := newRegister(2)
			g.form = func(item map[string]any) {
				item["custom_id"] = strings.Replace(item["custom_id"].(string), "k", "OLD-k", 1)
			}
			rows := creates(0, 1, 6)[0]
			for _, row := range rows[3:] {
				row[2] = "k" + row[2][1:]
			}
			r := &trial{api: g, journal: newMemory(), chunks: [][][]string{rows}, options: ImportOptions{Target: Target{Mode: Upsert, KeyContains: true}, Settle: time.Second}}
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

// TestUpsertMakesNoRowWhoseKeyIsCut upserts rows that an import has made into an API that
// cuts keys. But for its length the long key is of a form that the API keeps.
func TestUpsertMakesNoRowWhoseKeyIsCut(t *testing.T) {
	for _, skip := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := newRegister(0)
			g.form = func(item map[string]any) {
				key := item["custom_id"].(string)
				item["custom_id"] = key[:min(10, len(key))]
			}
			rows := creates(1, 1, 3)[0]
			rows[1][2] = "K-20001-30001"
			r := &trial{api: g, journal: newMemory(), chunks: [][][]string{rows}, options: ImportOptions{Target: Target{KeyContains: true}, Settle: time.Second}}
			if fates, _ := r.first(t); fates[0] != "written, written stored_otherwise, written" {
				t.Fatalf("%s", fates[0])
			}
			r.options.Mode, r.options.SkipExisting = Upsert, false
			if skip {
				r.options.Mode, r.options.SkipExisting = CreateOnly, true
			}
			for range 2 {
				r.journal = newMemory()
				fates, _ := r.first(t)
				if len(g.records) != 3 || strings.Count(fates[0], "unchanged") != 2 || !strings.Contains(fates[0], "key_not_kept") {
					t.Errorf("%d records; %s", len(g.records), fates[0])
				}
			}
		})
	}
}

// TestRowsThatAreLikeOthersAreMade upserts places that differ in their numbers alone, into a
// register with numbers that end in the same digits: nothing shows that the API changes
// keys.
func TestRowsThatAreLikeOthersAreMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		place := func(key string) []string {
			return []string{"Place", pipelinetest.Null, key, clientID, pipelinetest.Null, pipelinetest.Null}
		}
		for _, key := range []string{"1101", "1102", "1103"} {
			g.keep(map[string]any{"name": "Place", "external_client": map[string]any{"id": clientID}, "custom_id": key})
		}
		r := &trial{api: g, journal: newMemory(), chunks: [][][]string{{place("101"), place("102"), place("103"), place("104")}},
			options: ImportOptions{Target: Target{Mode: Upsert, KeyContains: true}, Settle: time.Second}}
		if fates, _ := r.first(t); fates[0] != each("written", 4) {
			t.Errorf("%s", fates[0])
		}
	})
}
