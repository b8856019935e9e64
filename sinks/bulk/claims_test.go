package bulk

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flytt/pipeline/pipelinetest"
)

// never is how late a request is that is never carried out.
const never = 1000 * time.Hour

// TestARecordIsOfOneRow loses the answers to two rows that differ in the form of their keys
// alone, of which only the second was written: its record is found by its key, and is not
// that of the first, too.
func TestARecordIsOfOneRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.late = func(post int) time.Duration {
			if post == 3 {
				return never
			}
			return 0
		}
		g.pass = func(point string) {
			if point == http.MethodPost+" done" && g.posts == 4 {
				panic(killed{point})
			}
		}
		rows := creates(0, 2, 2)
		rows[1][0][0], rows[1][1][0] = "Ada", "Ada"
		rows[1][0][2], rows[1][1][2] = "k-70", "K-70"
		r := &trial{api: g, journal: newMemory(), chunks: rows, options: ImportOptions{Target: Target{Mode: CreateOnly}, Limits: Limits{MaxBytes: 130}, Settle: time.Second}}
		func() {
			defer func() { _ = recover() }()
			r.first(t)
		}()
		g.pass = func(string) {}
		r.finish(t)
		r.wantOnce(t)
	})
}

// TestARecordOfAnEarlierRunIsNoneOfThisOne has an API that takes a new row for a change of
// the record that has its key, and answers with that: an undo leaves it.
func TestARecordOfAnEarlierRunIsNoneOfThisOne(t *testing.T) {
	for name, answer := range map[string]func(int, []map[string]any) (int, string){"records": nil, "ids": idsOnly} {
		inBubble(t, name, func(t *testing.T) {
			g := newRegister(0)
			g.dated, g.same, g.answer = true, true, answer
			r := &trial{api: g, chunks: creates(0, 1, 3)}
			r.options = ImportOptions{Target: Target{Mode: CreateOnly, Created: "created_at"}, Settle: time.Second, Began: time.Now()}
			r.journal = newMemory()
			r.first(t)
			time.Sleep(time.Hour)
			past := newMemory()
			r.journal, r.options.Began = past, time.Now()
			r.chunks = creates(1, 1, 4)
			if fates, _ := r.first(t); fates[0] != "updated, updated, written, written" {
				t.Errorf("%q", fates)
			}
			o := r.options
			o.Path, o.Key, o.Journal = bulkPath, "custom_id", newMemory()
			u, err := NewUndo(r.sink(t).delivery.client, pipelinetest.Schema(updateFields...), past, undoOptions(o))
			if err != nil {
				t.Fatal(err)
			}
			c := r.chunk(t, u, 0, r.chunks[0])
			if err := u.Write(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			wantSequence(t, c, "rejected not_kept, rejected not_kept, written, written")
		})
	}
}

// TestAnAnswerMayShowRecordsOfOthers has an answer show the record that somebody made
// before, in place of that of the row: the row does not get its id.
func TestAnAnswerMayShowRecordsOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.dated = true
		g.keep(map[string]any{"name": "Ada", "external_client": map[string]any{"id": clientID}, "custom_id": "k 12"})
		time.Sleep(time.Hour)
		g.answer = func(post int, answer []map[string]any) (int, string) {
			if post < 2 {
				return 0, ""
			}
			body, _ := json.Marshal(g.records[:1])
			return http.StatusCreated, string(body)
		}
		chunks := creates(0, 2, 3)
		chunks[1][1][0], chunks[1][1][2] = "Ada", "k  12"
		g.form = func(item map[string]any) {
			item["custom_id"] = strings.Join(strings.Fields(item["custom_id"].(string)), " ")
		}
		r := &trial{api: g, journal: newMemory(), chunks: chunks,
			options: ImportOptions{Target: Target{Mode: CreateOnly, Created: "created_at"}, Settle: time.Second, Began: time.Now()}}
		for range 4 {
			r.first(t)
		}
		s := r.sink(t)
		c := r.chunk(t, s, 1, chunks[1])
		if err := s.Write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if id := string(c.IDs.Value(1)); id == g.records[0]["id"] {
			t.Errorf("%v, with the id of somebody else's record", c.Fates)
		}
		if len(g.records) != 7 {
			t.Errorf("%d records of 6 rows and another", len(g.records))
		}
	})
}

// TestARecordIsOfTheRowWithItsKey is TestARecordIsOfOneRow with the rows in two chunks: the
// record has exactly the key of the row in the second.
func TestARecordIsOfTheRowWithItsKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.late = func(post int) time.Duration {
			if post == 3 {
				return never
			}
			return 0
		}
		g.pass = func(point string) {
			if point == http.MethodPost+" done" && g.posts == 4 {
				panic(killed{point})
			}
		}
		rows := creates(0, 3, 2)
		rows[1], rows[2] = rows[1][:1], rows[2][:1]
		rows[1][0][0], rows[2][0][0] = "Ada", "Ada"
		rows[1][0][2], rows[2][0][2] = "k-70", "K-70"
		r := &trial{api: g, journal: newMemory(), seeks: true, chunks: rows, options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Second}}
		func() {
			defer func() { _ = recover() }()
			r.first(t)
		}()
		g.pass = func(string) {}
		r.finish(t)
		r.wantOnce(t)
	})
}

// TestAnItemWithTheKeyOfAnotherRow has an API that strips zeros and drops the second of two
// rows whose keys are the same then. Its answer shows the record of the first row, under
// the key of the second.
func TestAnItemWithTheKeyOfAnotherRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.form = func(item map[string]any) {
			item["custom_id"] = strings.TrimLeft(item["custom_id"].(string), "0")
		}
		g.answer = func(post int, answer []map[string]any) (int, string) {
			if post != 2 {
				return 0, ""
			}
			last := len(g.records) - 1
			g.records, g.made = g.records[:last], g.made[:last]
			body, _ := json.Marshal(answer[:1])
			return http.StatusCreated, string(body)
		}
		rows := creates(5, 1, 3)
		rows[0][1][2], rows[0][2][2] = "07", "7"
		r := &trial{api: g, journal: newMemory(), chunks: rows, options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Second}}
		fates, _ := r.first(t)
		if fates[0] != "written, in_doubt, in_doubt" {
			t.Fatalf("%q", fates)
		}
		if got := r.finish(t)[0].fates; got != "written, written stored_otherwise, rejected key_conflict" || len(g.records) != 2 {
			t.Errorf("%q, %d records", got, len(g.records))
		}
	})
}

// TestARecordThatSomebodyElseMakesMeanwhile refuses a request and names nobody: while the
// run went on, somebody else made a record with the key of one of its rows.
func TestARecordThatSomebodyElseMakesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.dated = true
		began := time.Now()
		g.keep(map[string]any{"name": "Somebody", "external_client": map[string]any{"id": clientID}, "custom_id": "K-3"})
		g.answer = func(post int, answer []map[string]any) (int, string) {
			if post != 2 {
				return 0, ""
			}
			n := len(g.records) - len(answer) // nothing is made: K-3 is there
			g.records, g.made = g.records[:n], g.made[:n]
			return http.StatusBadRequest, `{"detail":"custom_id must be unique"}`
		}
		r := &trial{api: g, journal: newMemory(), chunks: creates(1, 1, 5),
			options: ImportOptions{Target: Target{Mode: CreateOnly, Created: "created_at"}, Settle: time.Second, Began: began}}
		fates, _ := r.first(t)
		if fates[0] != "written, written, rejected key_conflict, written, written" {
			t.Errorf("%s", fates[0])
		}
	})
}
