package bulk

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// TestAnswersOfIDsAlone creates rows in an API that answers their ids and nothing else, in
// an order of its own: the records, read by these ids, tell which is whose, and how they
// are stored.
func TestAnswersOfIDsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.form = func(item map[string]any) { item["name"] = strings.ToUpper(item["name"].(string)) }
		g.answer = idsOnly
		r := &trial{api: g, journal: newMemory(), chunks: creates(0, 2, 5), options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Second}}
		s := r.sink(t)
		for seq, rows := range r.chunks {
			c := r.chunk(t, s, seq, rows)
			if err := s.Write(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if got := sequence(c); got != each("written stored_otherwise", 5) {
				t.Errorf("%s", got)
			}
			for i := range c.Rows {
				if got, want := string(c.IDs.Value(i)), recordID(5*seq+i); got != want {
					t.Errorf("row %d has the id %s, not %s", i, got, want)
				}
			}
			for _, p := range c.Problems {
				if name := s.engine.schema.Fields[p.Field].Name; name != "name" {
					t.Errorf("%s is said to be stored otherwise", name)
				}
			}
		}
		r.wantOnce(t)
	})
}

// idsOnly answers the ids of the records that were made, and nothing else, the last first.
func idsOnly(_ int, answer []map[string]any) (int, string) {
	var ids []map[string]any
	for _, record := range slices.Backward(answer) {
		ids = append(ids, map[string]any{"id": record["id"]})
	}
	body, _ := json.Marshal(ids)
	return http.StatusCreated, string(body)
}

// TestRowsThatNoAnswerShowedTeachNothing has a refusal name the bad rows of a request, of
// which the API writes the others, under keys in another form. That they were written does
// not say that their keys were kept.
func TestRowsThatNoAnswerShowedTeachNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.partial, g.detail = true, true
		g.form = func(item map[string]any) {
			item["custom_id"] = strings.Join(strings.Fields(item["custom_id"].(string)), " ")
		}
		g.reset = func(post int) bool { return post == 3 }
		chunks := creates(0, 2, 5, 2)
		for _, row := range slices.Concat(chunks...)[1:] {
			row[2] = strings.Replace(row[2], "-", "  ", 1)
		}
		r := &trial{api: g, journal: newMemory(), chunks: chunks, options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Second, Atomicity: PartialWrites}}
		for range 4 {
			r.first(t)
		}
		if len(g.records) != 9 {
			t.Errorf("%d records of 9 rows", len(g.records))
		}
	})
}

// TestAReadThatIsCutShortTeachesNothing has the API answer ids alone, and refuse to show the
// records: how they are stored is not known then, and stays so for the next pass.
func TestAReadThatIsCutShortTeachesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.answer = idsOnly
		g.form = func(item map[string]any) {
			item["custom_id"] = strings.Join(strings.Fields(item["custom_id"].(string)), " ")
		}
		ctx, stop := context.WithCancelCause(t.Context())
		g.pass = func(point string) {
			if point == http.MethodGet && g.posts >= 2 {
				stop(pipeline.ErrInterrupted)
			}
		}
		chunks := creates(0, 2, 5)
		for _, rows := range chunks { // the first of each chunk is sent alone
			for _, row := range rows[1:] {
				row[2] = strings.Replace(row[2], "-", "  ", 1)
			}
		}
		r := &trial{api: g, journal: newMemory(), chunks: chunks, options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Second}}
		s := r.sink(t)
		if err := s.Write(ctx, r.chunk(t, s, 0, r.chunks[0])); err == nil {
			t.Fatal("it was not cut short")
		}
		g.pass = func(string) {}
		g.reset = func(post int) bool { return post == 4 }
		for i := range 4 {
			if fates, _ := r.first(t); i == 0 && fates[1] != "written, "+each("in_doubt", 4) {
				t.Fatalf("%q", fates)
			}
		}
		if len(g.records) != 10 {
			t.Errorf("%d records of 10 rows", len(g.records))
		}
		r.wantIDs(t)
	})
}

// wantIDs checks that each written row has the id of the record that has its name.
func (r *trial) wantIDs(t *testing.T) {
	t.Helper()
	names := map[string]string{}
	for _, record := range r.api.records {
		names[record["id"].(string)] = fmt.Sprint(record["name"])
	}
	s := r.sink(t)
	for seq, rows := range r.chunks {
		c := r.chunk(t, s, seq, rows)
		if err := s.Write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		for i, fate := range c.Fates {
			if fate == pipeline.Written && names[string(c.IDs.Value(i))] != rows[i][0] {
				t.Errorf("row %q has the id of %q", rows[i][0], names[string(c.IDs.Value(i))])
			}
		}
	}
}

// TestAnswersOfIDsAloneAndAListThatLags is TestAnswersOfIDsAlone with a list that shows
// records later.
func TestAnswersOfIDsAloneAndAListThatLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.answer, g.lag = idsOnly, 1500*time.Millisecond
		r := &trial{api: g, journal: newMemory(), chunks: creates(0, 2, 5), options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Second}}
		r.first(t)
		r.wantOnce(t)
		r.wantIDs(t)
	})
}

// TestLettersThatAreNotASCIIProveNothing loses the answer to rows with letters of a
// kind that the API stores otherwise: that it keeps others proves nothing.
func TestLettersThatAreNotASCIIProveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		latin := strings.NewReplacer("Å", "A", "å", "a")
		g.form = func(item map[string]any) {
			for _, name := range []string{"custom_id", "name"} {
				item[name] = latin.Replace(item[name].(string))
			}
		}
		g.reset = func(post int) bool { return post == 3 }
		chunks := creates(0, 2, 5)
		for i, row := range chunks[1] {
			row[0], row[2] = fmt.Sprintf("Åsa %d", i), fmt.Sprintf("Å-%d", i)
		}
		r := &trial{api: g, journal: newMemory(), chunks: chunks, options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Second}}
		for range 4 {
			r.first(t)
		}
		if len(g.records) != 10 {
			t.Errorf("%d records of 10 rows", len(g.records))
		}
	})
}

// TestAWarningIsGivenOnce has answers that show a part of the records, and then reads these.
func TestAWarningIsGivenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.form = func(item map[string]any) {
			item["name"], item["custom_id"] = strings.ToUpper(item["name"].(string)), strings.ToLower(item["custom_id"].(string))
		}
		g.answer = func(_ int, answer []map[string]any) (int, string) {
			var part []map[string]any
			for _, record := range answer {
				part = append(part, map[string]any{"id": record["id"], "name": record["name"], "custom_id": record["custom_id"]})
			}
			body, _ := json.Marshal(part)
			return http.StatusCreated, string(body)
		}
		r := &trial{api: g, journal: newMemory(), chunks: creates(0, 1, 3), options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Second}}
		for range 2 {
			fates, _ := r.first(t)
			if fates[0] != each("written stored_otherwise stored_otherwise", 3) {
				t.Errorf("%q", fates)
			}
		}
	})
}

// TestAChangeThatWasNotShownIsReadLater has answers to changes show ids alone, and a list
// that is behind: the next pass sees how they are stored.
func TestAChangeThatWasNotShownIsReadLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(4)
		past := newMemory()
		r := &trial{api: g, journal: past, options: ImportOptions{Target: Target{Mode: Upsert}, Settle: time.Second}}
		for i := range 4 {
			r.chunks = append(r.chunks, [][]string{row(i, "id", pipelinetest.Null, "name", fmt.Sprintf("Bo %d", i))})
		}
		r.chunks = [][][]string{slices.Concat(r.chunks...)}
		g.pass = func(point string) {
			if point == http.MethodPatch+" done" {
				for _, record := range g.records {
					record["name"] = strings.Replace(record["name"].(string), "Bo", "BO", 1)
				}
			}
		}
		g.bare, g.lost = true, 3
		g.empty = func(int) bool { return g.patches == 4 }
		if fates, _ := r.first(t); fates[0] != "updated, updated, in_doubt, updated" {
			t.Fatalf("%q", fates)
		}
		g.empty = nil
		r.finish(t)
		v, err := NewVerify(r.sink(t).delivery.client, pipelinetest.Schema(updateFields...), past, Options{Target: Target{Path: bulkPath, Key: "custom_id", KeyLookup: true, Mode: Upsert}})
		if err != nil {
			t.Fatal(err)
		}
		c := r.chunk(t, v, 0, r.chunks[0])
		if err := v.Write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		wantSequence(t, c, each("unchanged stored_otherwise", 4))
	})
}
