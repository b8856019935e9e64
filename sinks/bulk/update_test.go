package bulk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

func TestUpdateSendsOnlyWhatDiffers(t *testing.T) {
	a := withRecords(8)
	a.records[3]["ssn"] = "19850102-2399"
	a.records[4]["name"] = " Ada 4 "
	a.records[5]["external_client"] = clientID
	a.records[6]["external_client"] = map[string]any{}
	s := updateTo(t, a, ImportOptions{})
	c := written(t, s,
		row(0),
		row(1, "name", "Åsa", "external_client.id", recordID(7)),
		row(2, "id", strings.ToUpper(recordID(2)), "external_client.id", strings.ToUpper(clientID)),
		row(3, "ssn", "198501022399"),
		row(4),
		row(5, "ssn", "198501022399"),
		row(6),
		row(0, "id", pipelinetest.Null, "name", "New", "custom_id", "N-1"),
	)
	wantSequence(t, c, "unchanged, updated, unchanged, unchanged, unchanged, updated, updated, written")
	wantSent(t, a,
		`PATCH `+recordID(1)+` {"name":"Åsa","external_client":{"id":"`+recordID(7)+`"}}`,
		`PATCH `+recordID(5)+` {"ssn":"198501022399"}`,
		`PATCH `+recordID(6)+` {"external_client":{"id":"`+clientID+`"}}`,
		`POST [{"name":"New","custom_id":"N-1","external_client":{"id":"`+clientID+`"}}]`,
	)
	if got := string(c.IDs.Value(1)); got != recordID(1) {
		t.Errorf("the id of the changed record is %q", got)
	}
	if !c.IDs.Null(0) || c.IDs.Null(7) {
		t.Error("an id of a row that was not written, or none of one that was")
	}
}

func TestUpdateLeavesEmptyCellsAloneUnlessTheyClear(t *testing.T) {
	for _, test := range []struct {
		nulls []string
		want  string
	}{
		{nil, ""},
		{[]string{"ssn", "title", "external_client", "custom_id"}, `PATCH ` + recordID(1) + ` {"custom_id":null,"external_client":null,"ssn":null}`},
	} {
		a := withRecords(2)
		a.records[1]["ssn"] = "198501022399"
		s := updateTo(t, a, ImportOptions{Comparison: Comparison{Nulls: test.nulls}})
		written(t, s, row(1, "custom_id", pipelinetest.Null, "external_client.id", pipelinetest.Null))
		got := a.sent()
		for _, part := range strings.Split(strings.Trim(strings.TrimPrefix(test.want, "PATCH "+recordID(1)), " {}"), ",") {
			if !strings.Contains(got, part) {
				t.Errorf("nulls %v: the API got %s, which lacks %s", test.nulls, got, part)
			}
		}
		if len(got) != len(test.want) {
			t.Errorf("nulls %v: the API got %s", test.nulls, got)
		}
	}
}

func TestUpdateConfirmsWhatTheListDoesNotShow(t *testing.T) {
	for name, set := range map[string]func(*recordsAPI){
		"a list that shows":        func(*recordsAPI) {},
		"a blind list":             func(a *recordsAPI) { a.blind = true },
		"a list without filter":    func(a *recordsAPI) { a.unfiltered = true },
		"a list that will have no": func(a *recordsAPI) { a.noFilter = true },
	} {
		t.Run(name, func(t *testing.T) {
			a := withRecords(300)
			set(a)
			log, out := logged()
			s := updateTo(t, a, ImportOptions{Log: log})
			c := written(t, s, row(0), row(1, "name", "Åsa"), row(999))
			wantSequence(t, c, "unchanged, updated, rejected not_found")
			wantSent(t, a, `PATCH `+recordID(1)+` {"name":"Åsa"}`)
			if strings.Contains(out.String(), "Ada") || strings.Contains(out.String(), recordID(1)) {
				t.Errorf("the log holds values:\n%s", out)
			}
		})
	}
}

func TestUpdateRejectsASecondRowOfARecord(t *testing.T) {
	a := withRecords(5)
	s := updateTo(t, a, ImportOptions{Target: Target{Mode: Upsert}})
	c := written(t, s,
		row(0, "name", "first"),
		row(0, "name", "second"),
		row(0, "id", pipelinetest.Null, "name", "by key"),
		row(1, "id", pipelinetest.Null), row(1, "id", pipelinetest.Null),
		row(0, "id", pipelinetest.Null, "custom_id", "new"), row(0, "id", pipelinetest.Null, "custom_id", "new"),
	)
	wantSequence(t, c, "updated, rejected duplicate_in_file, rejected duplicate_in_file, unchanged, rejected duplicate_in_file, written, rejected duplicate_in_file")
	c = written(t, s, row(0), row(1, "id", pipelinetest.Null), row(2), row(0, "id", pipelinetest.Null, "custom_id", "new"))
	wantSequence(t, c, "rejected duplicate_in_file, rejected duplicate_in_file, unchanged, rejected duplicate_in_file")
	if n := a.withKey("new"); n != 1 {
		t.Errorf("the new record is there %d times", n)
	}
}

func TestModesSayWhatARowDoes(t *testing.T) {
	long := strings.Repeat("k", 300)
	for _, test := range []struct {
		name    string
		options ImportOptions
		rows    [][]string
		want    string
		posted  int
	}{
		{"by id", ImportOptions{}, [][]string{row(0), row(9), row(1, "id", pipelinetest.Null)}, "unchanged, rejected not_found, written", 1},
		{"create", ImportOptions{Target: Target{Mode: CreateOnly}}, [][]string{row(0), row(1, "id", pipelinetest.Null)}, "written, written", 2},
		{"update", ImportOptions{Target: Target{Mode: UpdateOnly}},
			[][]string{row(0), row(9), row(1, "id", pipelinetest.Null), row(9, "id", pipelinetest.Null, "custom_id", "none"), row(0, "id", pipelinetest.Null, "custom_id", pipelinetest.Null),
				row(0, "id", pipelinetest.Null, "custom_id", "a\tb"), row(0, "id", pipelinetest.Null, "custom_id", long), row(0, "id", pipelinetest.Null, "custom_id", "twice")},
			"unchanged, rejected not_found, unchanged, rejected not_found, rejected no_key, rejected key_unusable, rejected key_unusable, rejected key_not_unique", 0},
		{"an id before the key", ImportOptions{Target: Target{Mode: UpdateOnly}},
			[][]string{row(0, "custom_id", "K-1"), row(9), row(1, "id", "no id at all", "name", "x")}, "updated, rejected not_found, rejected uuid", 0},
		{"upsert", ImportOptions{Target: Target{Mode: Upsert}},
			[][]string{row(0), row(9, "custom_id", "K-1"), row(8, "custom_id", "N-1"), row(9, "id", pipelinetest.Null, "custom_id", "N-2"), row(7, "custom_id", pipelinetest.Null),
				row(0, "id", pipelinetest.Null, "custom_id", pipelinetest.Null), row(0, "id", pipelinetest.Null, "custom_id", "twice")},
			"unchanged, updated, written, written, rejected not_found, rejected no_key, rejected key_not_unique", 2},
		{"upsert with a key changed", ImportOptions{Target: Target{Mode: Upsert}}, [][]string{row(0, "custom_id", "K-new"), row(1, "id", pipelinetest.Null)}, "updated, unchanged", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := withRecords(5)
			a.records[3]["custom_id"], a.records[4]["custom_id"] = "twice", "twice"
			s := updateTo(t, a, test.options)
			c := written(t, s, test.rows...)
			wantSequence(t, c, test.want)
			if n := len(a.records) - 5; n != test.posted {
				t.Errorf("%d records were created, want %d", n, test.posted)
			}
			for line := range strings.SplitSeq(a.sent(), "\n") {
				if strings.HasPrefix(line, "POST") && strings.Contains(line, `"id":"0`) {
					t.Errorf("a new record was sent an id: %s", line)
				}
			}
			if want := test.options.Mode == UpdateOnly || test.options.Mode == Upsert; s.Repeatable() != want {
				t.Errorf("repeatable: %t", !want)
			}
		})
	}
}

func TestARunThatCreatesNothingIsRepeatable(t *testing.T) {
	a := withRecords(2)
	s := updateTo(t, a, ImportOptions{})
	written(t, s, row(0, "name", "x"))
	if !s.Repeatable() {
		t.Error("a run that has only changed a record is not repeatable")
	}
	written(t, s, row(0, "id", pipelinetest.Null))
	if s.Repeatable() {
		t.Error("a run that has created a record is repeatable")
	}
}

func TestUpsertCreatesTheFirstRowAloneAndThenTheOthers(t *testing.T) {
	a := withRecords(0)
	s := updateTo(t, a, ImportOptions{Target: Target{Mode: Upsert}, Atomicity: AllOrNothing})
	rows := [][]string{row(0, "id", pipelinetest.Null), row(1, "id", pipelinetest.Null), row(2, "id", pipelinetest.Null)}
	wantSequence(t, written(t, s, rows...), "written, written, written")
	if posts := a.asked[http.MethodPost]; posts != 2 {
		t.Errorf("%d writes, want the first row and the rest", posts)
	}
	again := updateTo(t, a, ImportOptions{Target: Target{Mode: Upsert}, Atomicity: AllOrNothing})
	wantSequence(t, written(t, again, rows...), "unchanged, unchanged, unchanged")
	if len(a.records) != 3 {
		t.Errorf("%d records", len(a.records))
	}
}

func TestUpsertBelievesNoBlindList(t *testing.T) {
	for _, test := range []struct {
		name string
		set  func(*recordsAPI)
		most int // records created
	}{
		{"never shows a thing", func(a *recordsAPI) { a.blind = true }, 1},
		{"has no filter", func(a *recordsAPI) { a.noFilter = true }, 0},
		{"shows everything", func(a *recordsAPI) { a.unfiltered = true }, 0},
		{"goes blind", func(a *recordsAPI) {
			a.answer = func(n int, r *http.Request, _ func() *http.Response) (*http.Response, error) {
				a.mu.Lock()
				a.blind = r.Method == http.MethodGet && n > 2
				a.mu.Unlock()
				return nil, nil
			}
		}, 0},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			a := withRecords(10)
			test.set(a)
			s := updateTo(t, a, ImportOptions{Target: Target{Mode: Upsert}})
			c := chunkFrom(t, s, [][]string{row(1, "id", pipelinetest.Null), row(0, "id", pipelinetest.Null, "custom_id", "N-0"), row(0, "id", pipelinetest.Null, "custom_id", "N-1"), row(0, "id", pipelinetest.Null, "custom_id", "N-2")})
			err := s.Write(t.Context(), c)
			var hint interface{ Hint() string }
			if err == nil || !errors.As(err, &hint) || hint.Hint() == "" {
				t.Errorf("the run goes on, or without a hint: %v", err)
			}
			if n := len(a.records) - 10; n > test.most {
				t.Errorf("%d records were created though nobody knows what is there", n)
			}
		})
	}
}

func TestUpsertOfOneKeyInManyChunksCreatesItOnce(t *testing.T) {
	a := withRecords(0)
	s := updateTo(t, a, ImportOptions{Target: Target{Mode: Upsert}})
	var wg sync.WaitGroup
	chunks := make([]*pipeline.Chunk, 8)
	for i := range chunks {
		chunks[i] = chunkFrom(t, s, [][]string{row(0, "id", pipelinetest.Null, "custom_id", fmt.Sprint("own-", i)), row(0, "id", pipelinetest.Null, "custom_id", "shared")})
		wg.Go(func() {
			if err := s.Write(t.Context(), chunks[i]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := a.withKey("shared"); n != 1 || len(a.records) != len(chunks)+1 {
		t.Errorf("the shared key is there %d times, among %d records", n, len(a.records))
	}
}

func TestParseMode(t *testing.T) {
	for in, want := range map[string]Mode{"": ByID, "create": CreateOnly, "update": UpdateOnly, "upsert": Upsert} {
		if got, err := ParseMode(in); got != want || err != nil {
			t.Errorf("%q: %v %v", in, got, err)
		}
	}
	if _, err := ParseMode("replace"); err == nil {
		t.Error("replace is taken for a mode")
	}
}

func TestUpdateWithoutIDOrKeyIsRefused(t *testing.T) {
	for _, o := range []ImportOptions{{Target: Target{Mode: UpdateOnly}}, {Target: Target{Mode: Upsert, Key: "custom_id"}}, {Target: Target{Mode: UpdateOnly, Key: "name"}}} {
		o.Path = bulkPath
		_, err := NewImport(nil, pipelinetest.Schema("name", "custom_id"), o)
		var usage *pipeline.UsageError
		if !errors.As(err, &usage) || usage.Hint == "" {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestInterruptedUpdateLeavesRowsUnsent(t *testing.T) {
	a := withRecords(5)
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("enough")
	a.answer = func(n int, r *http.Request, serve func() *http.Response) (*http.Response, error) {
		if r.Method == http.MethodPatch && n == 2 {
			defer cancel(stop)
			return serve(), nil
		}
		return nil, nil
	}
	s := updateTo(t, a, ImportOptions{})
	c := chunkFrom(t, s, [][]string{row(0, "name", "a"), row(1, "name", "b"), row(2, "name", "c"), row(3, "name", "d")})
	if err := s.Write(ctx, c); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	wantSequence(t, c, "updated, updated, pending, pending")
}

func TestBulkEncoderPartsTheIDFromTheObject(t *testing.T) {
	b := pipelinetest.Batch(
		[]string{"Ada", strings.ToUpper(recordID(1)), "K-1"},
		[]string{pipelinetest.Null, recordID(2), pipelinetest.Null},
		[]string{"Bo {x}", pipelinetest.Null, pipelinetest.Null},
		[]string{"Cy", "17", pipelinetest.Null},
		[]string{"Di", recordID(4) + "{", pipelinetest.Null},
	)
	e := pipelinetest.Encode(t, newItemEncoder(pipelinetest.Schema("name", "id", "custom_id"), true, false), b)
	for i, want := range []string{recordID(1) + ` {"name":"Ada","custom_id":"K-1"}`, recordID(2) + ` {}`, ` {"name":"Bo {x}"}`} {
		id, object := splitItem(e.Item(i))
		if got := string(id) + " " + string(object); got != want {
			t.Errorf("row %d: %s, want %s", i, got, want)
		}
	}
	for _, i := range []int{3, 4} {
		if len(e.Item(i)) > 0 || b.Fates[i] != pipeline.Rejected {
			t.Errorf("row %d with a malformed id: %s %s", i, b.Fates[i], e.Item(i))
		}
	}
	if b.Problems[0].Code != codeUUID {
		t.Errorf("noted as %s", b.Problems[0].Code)
	}
	e = pipelinetest.Encode(t, newItemEncoder(pipelinetest.Schema("name", "id", "custom_id"), false, false), pipelinetest.Batch([]string{"Ada", "17", "K-1"}))
	if got := string(e.Item(0)); got != `{"name":"Ada","custom_id":"K-1"}` {
		t.Errorf("without ids: %s", got)
	}
}

func TestDifferences(t *testing.T) {
	for _, test := range []struct{ want, record, diff string }{
		{`{"a":"x"}`, `{"a":"x","b":"y"}`, ``},
		{`{"a":"x","b":"z"}`, `{"a":"x","b":"y"}`, `{"b":"z"}`},
		{`{"a":null}`, `{}`, ``},
		{`{"a":null}`, `{"a":""}`, ``},
		{`{"a":null,"b":null}`, `{"a":{},"b":[ ]}`, ``},
		{`{"a":null}`, `{"a":"x"}`, `{"a":null}`},
		{`{"a":null}`, `{"a":0}`, `{"a":null}`},
		{`{"a":"x"}`, `{"a":" x\u00a0\n"}`, ``},
		{`{"a":"x"}`, `{"a":null}`, `{"a":"x"}`},
		{`{"a":"x"}`, `{}`, `{"a":"x"}`},
		{`{"a":{"id":"1"}}`, `{"a":{}}`, `{"a":{"id":"1"}}`},
		{`{"a":{"id":"1"}}`, `{"a":{"id":"1","name":"n"}}`, ``},
		{`{"a":{"id":"1"}}`, `{"a":"1"}`, ``},
		{`{"a":{"id":"1"}}`, `{"a":null}`, `{"a":{"id":"1"}}`},
		{`{"a":17,"b":true}`, `{"a":17.0,"b":false}`, `{"b":true}`},
		{`{"å\n":"x"}`, `{"å\n":"y"}`, `{"å\n":"x"}`},
		{`{}`, `{"a":1}`, ``},
	} {
		if got := string(differences([]byte(test.want), []byte(test.record), nil)); got != test.diff {
			t.Errorf("%s from %s: %s, want %s", test.want, test.record, got, test.diff)
		}
	}
}
