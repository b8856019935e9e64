package bulk

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flytt/internal/api"
	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// TestKeysInAnotherFormAreRejectedByName has rows whose keys differ from those of
// records in their form only, and a list that does not mind.
func TestKeysInAnotherFormAreRejectedByName(t *testing.T) {
	inOtherForms := [][]string{
		row(0, "id", pipelinetest.Null), row(1, "id", pipelinetest.Null, "custom_id", "k-1"), row(2, "id", pipelinetest.Null, "custom_id", "K- 2"), row(3, "id", pipelinetest.Null, "custom_id", "Ｋ-3"),
	}
	for _, test := range []struct {
		name    string
		options ImportOptions
		want    string
	}{
		{"upsert", ImportOptions{Target: Target{Mode: Upsert}}, "unchanged, rejected key_form, rejected key_form, rejected key_form, written"},
		{"update", ImportOptions{Target: Target{Mode: UpdateOnly}}, "unchanged, rejected key_form, rejected key_form, rejected key_form, rejected not_found"},
		{"skip existing", ImportOptions{Target: Target{Mode: CreateOnly, SkipExisting: true}}, "unchanged, rejected key_form, rejected key_form, rejected key_form, written"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := withRecords(5)
			a.fold = api.FoldKey
			s := updateTo(t, a, test.options)
			s.engine.noteListed("K-0")
			c := written(t, s, append(inOtherForms[:4:4], row(9, "id", pipelinetest.Null))...)
			wantSequence(t, c, test.want)
			for _, p := range c.Problems {
				if p.Code == codeKeyForm && p.Field != int16(s.engine.schema.Index("custom_id")) {
					t.Errorf("%+v", p)
				}
			}
		})
	}
	t.Run("a list that minds", func(t *testing.T) {
		c := written(t, updateTo(t, withRecords(5), ImportOptions{Target: Target{Mode: Upsert}}), inOtherForms...)
		wantSequence(t, c, "unchanged, written, written, written")
	})
}

// TestARecordInAnotherFormProvesThatTheListCanBeRead has a first row whose key is
// near to a record, and no other that is known to be there.
func TestARecordInAnotherFormProvesThatTheListCanBeRead(t *testing.T) {
	a := withRecords(2)
	a.fold = strings.ToLower
	s := updateTo(t, a, ImportOptions{Target: Target{Mode: Upsert}})
	wantSequence(t, written(t, s, row(1, "id", pipelinetest.Null, "custom_id", "k-1")), "rejected key_form")
	if known := s.engine.listedKey.Load(); known == nil || known.key != "K-1" {
		t.Errorf("the canary is %v", known)
	}
	wantSent(t, a, "")
}

// TestRowsOfOneFileMayBeNearToEachOther has rows whose keys differ in their case only:
// each makes its record, whichever is sent first and whatever the list folds.
func TestRowsOfOneFileMayBeNearToEachOther(t *testing.T) {
	for _, o := range []ImportOptions{{Target: Target{Mode: Upsert}}, {Target: Target{Mode: CreateOnly, SkipExisting: true}}} {
		a := withRecords(1)
		a.fold = strings.ToLower
		s := updateTo(t, a, o)
		s.engine.noteListed("K-0")
		wantSequence(t, written(t, s, row(5, "id", pipelinetest.Null), row(6, "id", pipelinetest.Null), row(6, "id", pipelinetest.Null, "custom_id", "k-6")), "written, written, written")
		wantSequence(t, written(t, s, row(5, "id", pipelinetest.Null, "custom_id", "k-5"), row(0, "id", pipelinetest.Null, "custom_id", "k-0")), "written, rejected key_form")
	}
}

// TestRowsOfAnEarlierPassAreNearToNone makes a second pass, which knows from the
// journal what the first has made.
func TestRowsOfAnEarlierPassAreNearToNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &trial{api: newRegister(1), journal: newMemory(), chunks: creates(5, 1, 3), options: ImportOptions{Target: Target{Mode: Upsert}, Settle: time.Second}}
		r.api.fold = strings.ToLower
		r.first(t)
		second := creates(5, 1, 3)[0]
		for _, row := range second {
			row[2] = strings.ToLower(row[2])
		}
		r.chunks = append(r.chunks, second)
		fates, _ := r.first(t)
		if want := []string{each("written", 3), each("written", 3)}; !slices.Equal(fates, want) {
			t.Errorf("%q", fates)
		}
	})
}

// TestNearKeysAreNotAbsent loses the answer to rows whose keys are stored in another form.
// That the list shows near keys does not tell whose they are; that nobody else made them
// since the run began does. No row is sent again.
func TestNearKeysAreNotAbsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.fold = strings.ToLower
		g.reset = func(post int) bool { return post == 3 }
		r := &trial{api: g, journal: newMemory(), chunks: creates(0, 2, 4), options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Second}}
		g.pass = func(string) { // it stores the keys in lower case
			for _, record := range g.records {
				if key := fmt.Sprint(record["custom_id"]); key >= "K-4" {
					record["custom_id"] = strings.ToLower(key)
				}
			}
		}
		fates, _ := r.first(t)
		if fates[1] != each("in_doubt", 4) {
			t.Fatalf("%q", fates)
		}
		posts := g.posts
		for range 2 {
			if fates, _ := r.first(t); fates[1] != each("written stored_otherwise", 4) {
				t.Errorf("another pass: %q", fates)
			}
		}
		if g.posts != posts || len(g.records) != 8 {
			t.Errorf("%d more requests, %d records", g.posts-posts, len(g.records))
		}
	})
}

// TestRefusedRowsWithKeysInAnotherFormAreInDoubt has a request refused whose good rows
// may have been written: those that the list shows under near keys are not sent again.
func TestRefusedRowsWithKeysInAnotherFormAreInDoubt(t *testing.T) {
	f := &fakeAPI{detail: true, partial: true, fold: strings.ToLower}
	f.change = func(item map[string]any) {
		if item["custom_id"] == "K-3" {
			item["custom_id"] = "k-3"
		}
	}
	s := f.bulk(t, ImportOptions{Target: Target{KeyLookup: true}})
	c := chunkFrom(t, s, [][]string{
		{"first", clientID, "K-1"}, {"bad", clientID, "K-2"}, {"lower", clientID, "K-3"}, {"last", clientID, "K-4"},
	})
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	want := []pipeline.Fate{pipeline.Written, pipeline.Rejected, pipeline.InDoubt, pipeline.Written}
	if !slices.Equal(c.Fates, want) || len(f.records) != 3 {
		t.Errorf("%s, %d records", fates(c), len(f.records))
	}
}

// TestKeysWithCommasSettleDoubt loses answers to rows whose keys a list of keys cannot
// hold: they are looked up one at a time.
func TestKeysWithCommasSettleDoubt(t *testing.T) {
	for _, mode := range []Mode{CreateOnly, Upsert} {
		for lost := 1; lost <= 4; lost++ {
			synctest.Test(t, func(t *testing.T) {
				g := newRegister(0)
				g.reset = func(post int) bool { return post == lost }
				r := &trial{api: g, journal: newMemory(), chunks: creates(0, 3, 4), options: ImportOptions{Target: Target{Mode: mode}, Settle: time.Second}}
				for i, rows := range r.chunks {
					for _, row := range rows[min(i, 1):] { // of the first chunk all keys have one
						row[2] += ",x"
					}
				}
				r.first(t)
				fates, _ := r.first(t)
				for _, got := range fates {
					if got != each("written", 4) {
						t.Errorf("mode %v, request %d lost: %q", mode, lost, fates)
					}
				}
				r.wantOnce(t)
			})
		}
	}
}
