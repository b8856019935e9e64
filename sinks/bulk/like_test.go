package bulk

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"flytt/pipeline/pipelinetest"
)

// shouting is an API that stores titles in upper case.
type shouting struct{ *recordsAPI }

func (a shouting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		for _, title := range []string{"vd", "agent"} {
			body = bytes.ReplaceAll(body, []byte(`"title":"`+title+`"`), []byte(`"title":"`+strings.ToUpper(title)+`"`))
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return a.recordsAPI.RoundTrip(r)
}

// pairSet is the pairs of a journal; with err it cannot be read.
type pairSet struct {
	pairs map[uint64]bool
	err   error
}

func (p pairSet) Has(pair uint64) (bool, error) { return p.pairs[pair], p.err }

// pairsOf returns the pairs of the chunks of m.
func pairsOf(t *testing.T, m *memory) pairSet {
	t.Helper()
	p := pairSet{pairs: map[uint64]bool{}}
	for seq := range m.entries {
		e, err := m.Find(seq)
		if err != nil {
			t.Fatal(err)
		}
		pairs, err := StoredPairs(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, pair := range pairs {
			p.pairs[pair] = true
		}
	}
	return p
}

// upsertLike returns a journal of an upsert of rows that is like another, and what
// became of the rows.
func upsertLike(t *testing.T, a http.RoundTripper, like interface{ Has(uint64) (bool, error) }, rows ...[]string) (*memory, string) {
	t.Helper()
	m := newMemory()
	s := updateTo(t, a, ImportOptions{Target: Target{Mode: Upsert}, Comparison: Comparison{Like: like}, Journal: m})
	became := sequence(written(t, s, rows...))
	if _, err := m.Find(0); err != nil { // makes it durable
		t.Fatal(err)
	}
	return m, became
}

// TestLikeAnEarlierRun sends rows again to an API that stores their titles in another
// form: nothing that it would store the same way again is sent.
func TestLikeAnEarlierRun(t *testing.T) {
	a := withRecords(3)
	rows := [][]string{row(0, "title", "vd"), row(1, "title", "agent"), row(2)}
	step := func(what string, like interface{ Has(uint64) (bool, error) }, want string, patches int) *memory {
		t.Helper()
		before := len(a.log)
		m, became := upsertLike(t, shouting{a}, like, rows...)
		if became != want || len(a.log)-before != patches {
			t.Errorf("%s: %s with %d changes, want %s with %d\n%s", what, became, len(a.log)-before, want, patches, a.sent())
		}
		return m
	}
	first := step("first", nil, "updated stored_otherwise, updated stored_otherwise, unchanged", 2)
	step("like none", nil, "updated stored_otherwise, updated stored_otherwise, unchanged", 2)
	second := step("like the first", pairsOf(t, first), "unchanged, unchanged, unchanged", 0)
	third := step("like the second, which sent nothing", pairsOf(t, second), "unchanged, unchanged, unchanged", 0)

	v, err := NewVerify(updateTo(t, shouting{a}, ImportOptions{}).delivery.client, pipelinetest.Schema(updateFields...), third, Options{Target: Target{Mode: Upsert, Path: bulkPath, Key: "custom_id", KeyLookup: true}})
	if err != nil {
		t.Fatal(err)
	}
	c := chunkFrom(t, v, rows)
	if err := v.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantSequence(t, c, "unchanged stored_otherwise, unchanged stored_otherwise, unchanged")

	a.records[1]["title"] = "Boss"
	step("one record changed by somebody", pairsOf(t, first), "unchanged, updated stored_otherwise, unchanged", 1)

	rows[0] = row(0, "title", "vd", "name", "Ada Nilsson")
	changed := step("one row changed", pairsOf(t, first), "updated, unchanged, unchanged", 1)
	if last := a.log[len(a.log)-1]; !strings.HasSuffix(last, `{"name":"Ada Nilsson"}`) {
		t.Errorf("sent %s", last)
	}
	step("like the run that changed another field of the row", pairsOf(t, changed), "unchanged, unchanged, unchanged", 0)
}

// TestLikeThatCannotBeRead stops a run before it sends what need not be sent.
func TestLikeThatCannotBeRead(t *testing.T) {
	a := withRecords(1)
	failed := errors.New("input/output error")
	s := updateTo(t, a, ImportOptions{Target: Target{Mode: Upsert}, Comparison: Comparison{Like: pairSet{err: failed}}, Journal: newMemory()})
	if err := s.Write(t.Context(), chunkFrom(t, s, [][]string{row(0, "title", "vd")})); !errors.Is(err, failed) {
		t.Errorf("error %v, want %v", err, failed)
	}
	wantSent(t, a)
}

// TestComparedInAForm changes, reads back and restores values that differ in nothing but
// the form in which they are compared.
func TestComparedInAForm(t *testing.T) {
	a := withRecords(2)
	m := newMemory()
	o := ImportOptions{Target: Target{Mode: Upsert}, Comparison: Comparison{Compare: map[string]func(string) string{"title": strings.ToLower}}, Journal: m, Undoable: true}
	a.records[0]["title"], a.records[1]["title"] = "VD", "BOSS"
	rows := [][]string{row(0, "title", "vd"), row(1, "title", "agent")}
	c := written(t, updateTo(t, shouting{a}, o), rows...)
	wantSequence(t, c, "unchanged, updated")
	wantSent(t, a, "PATCH "+recordID(1)+` {"title":"AGENT"}`)

	own := o
	own.Path, own.Key, own.KeyLookup, own.Journal = bulkPath, "custom_id", true, newMemory()
	u, err := NewUndo(updateTo(t, shouting{a}, o).delivery.client, pipelinetest.Schema(updateFields...), m, undoOptions(own))
	if err != nil {
		t.Fatal(err)
	}
	c = chunkFrom(t, u, rows)
	if err := u.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantSequence(t, c, "skipped, updated")
	if a.records[1]["title"] != "BOSS" {
		t.Errorf("the title is %v again", a.records[1]["title"])
	}
}
