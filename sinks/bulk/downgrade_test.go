package bulk

import (
	"testing"

	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// flawedChunk returns a chunk of rows whose fields may hold other values than
// their cells, as conversions leave them, with the problems given.
func flawedChunk(t *testing.T, s *Import, cells, rows [][]string, problems ...pipeline.Problem) *pipeline.Chunk {
	t.Helper()
	c := &pipeline.Chunk{Batch: *pipelinetest.Batch(rows...)}
	c.Input = pipelinetest.Batch(cells...).Fields
	for i := range rows {
		c.Keys.Append(c.Fields[s.engine.schema.Index("custom_id")].Value(i))
	}
	for _, p := range problems {
		c.Note(p)
	}
	if err := s.Encoder().Encode(&c.Batch, &c.Encoded); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c
}

// fault returns an error of stage in field 4, the ssn, of row.
func fault(row int32, stage pipeline.Stage, code pipeline.Code) pipeline.Problem {
	return pipeline.Problem{Row: row, Field: 4, Column: 4, Stage: stage, Code: code}
}

func TestRowsThatBreakRulesAreComparedFirst(t *testing.T) {
	bad, none := row(1, "ssn", "12"), row(1, "ssn", pipelinetest.Null)
	for _, test := range []struct {
		name     string
		asStored bool
		mode     Mode
		cell     []string
		row      []string
		fault    pipeline.Problem
		want     string
	}{
		{"the record is as bad", false, ByID, bad, bad, fault(0, pipeline.Validate, "too_short"), "unchanged too_short"},
		{"the row is not as bad as the record", false, ByID, bad, row(1, "ssn", "13"), fault(0, pipeline.Validate, "too_short"), "rejected too_short"},
		{"something else differs, too", false, ByID, bad, row(1, "ssn", "12", "name", "new"), fault(0, pipeline.Validate, "too_short"), "rejected too_short"},
		{"not converted, with a mapping that wants it", false, ByID, bad, none, fault(0, pipeline.Map, "not_a_number"), "rejected not_a_number"},
		{"not converted, as stored", true, ByID, bad, none, fault(0, pipeline.Map, "not_a_number"), "unchanged not_a_number"},
		{"not converted, edited", true, ByID, row(1, "ssn", "x"), none, fault(0, pipeline.Map, "not_a_number"), "rejected not_a_number"},
		{"required, and there", false, ByID, none, none, fault(0, pipeline.Validate, "required"), "rejected required"},
		{"no record, not to be made", false, Upsert, bad, row(9, "ssn", "12"), fault(0, pipeline.Validate, "too_short"), "rejected too_short"},
		{"no id", false, ByID, bad, row(1, "ssn", "12", "id", pipelinetest.Null), fault(0, pipeline.Validate, "too_short"), "rejected too_short"},
		{"not readable", true, ByID, bad, bad, pipeline.Problem{Row: 0, Field: pipeline.None, Column: 4, Stage: pipeline.Map, Code: "expr"}, "rejected expr"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := withRecords(3)
			a.records[1]["ssn"] = "12"
			s := updateTo(t, a, ImportOptions{Target: Target{Mode: test.mode}, Comparison: Comparison{AsStored: test.asStored, Columns: []int16{0, 1, 2, 3, 4, 5}}})
			c := flawedChunk(t, s, [][]string{test.cell}, [][]string{test.row}, test.fault)
			wantSequence(t, c, test.want)
			wantSent(t, a)
			if c.Fates[0] == pipeline.Unchanged && c.Problems[0].Severity != pipeline.Warning {
				t.Error("an unchanged row has an error")
			}
		})
	}
}

// TestARequiredReferenceThatIsNotShown clears other fields of a record of whose
// reference the API says nothing.
func TestARequiredReferenceThatIsNotShown(t *testing.T) {
	a := withRecords(2)
	a.records[1]["external_client"], a.records[1]["title"] = map[string]any{}, "VD"
	s := updateTo(t, a, ImportOptions{Comparison: Comparison{Nulls: []string{"title"}, Columns: []int16{0, 1, 2, 3, 4, 5}}})
	r := row(1, "external_client.id", pipelinetest.Null)
	p := pipeline.Problem{Row: 0, Field: 3, Column: 3, Stage: pipeline.Validate, Code: codeRequired}
	wantSequence(t, flawedChunk(t, s, [][]string{r}, [][]string{r}, p), "updated required")
	wantSent(t, a, `PATCH `+recordID(1)+` {"title":null}`)
}

// TestCellsThatHoldWhatIsStoredAreNotConverted has a mapping that was guessed.
func TestCellsThatHoldWhatIsStoredAreNotConverted(t *testing.T) {
	for _, test := range []struct {
		asStored bool
		cell     string
		want     string
	}{{true, " 08-12 ", "unchanged"}, {false, "08-12", "updated"}, {true, "08-13", "updated"}} {
		a := withRecords(2)
		a.records[1]["title"] = "08-12"
		s := updateTo(t, a, ImportOptions{Comparison: Comparison{AsStored: test.asStored, Columns: []int16{0, 1, 2, 3, 4, 5}}})
		c := flawedChunk(t, s, [][]string{row(1, "title", test.cell)}, [][]string{row(1, "title", "+46812")})
		wantSequence(t, c, test.want)
	}
}

func TestKeysAreLookedUpAsTheyStandInTheirCells(t *testing.T) {
	a := withRecords(4)
	a.records[0]["custom_id"], a.records[1]["custom_id"], a.records[2]["custom_id"], a.records[3]["custom_id"] = " lead", "\ttab", "both", "both "
	s := updateTo(t, a, ImportOptions{Target: Target{Mode: Upsert}, Comparison: Comparison{Columns: []int16{0, 1, 2, 3, 4, 5}}})
	var cells, rows [][]string
	for i, key := range []string{"lead", "tab", "both", "new"} {
		padded := []string{" lead", "\ttab", "both ", "new  "}[i]
		cells, rows = append(cells, row(i, "id", pipelinetest.Null, "custom_id", padded)), append(rows, row(i, "id", pipelinetest.Null, "custom_id", key))
	}
	c := flawedChunk(t, s, cells, rows)
	wantSequence(t, c, "unchanged, rejected key_unusable, rejected key_not_unique, written")
}

func TestReadOnlyCellsAreComparedAsAnExportWritesThem(t *testing.T) {
	for _, test := range []struct {
		record, cell string
		want         bool
	}{
		{`"2026-01-02T03:04:05.000000Z"`, "2026-01-02T03:04:05.000000Z", true},
		{`"2026-01-02T03:04:05.000000Z"`, "2026-01-02T04:04:05+01:00", true},
		{`"2026-01-02T03:04:05.000000Z"`, "2026-01-02T03:04:06Z", false},
		{`["b", {"x":1}]`, `["b",{"x":1.0}]`, true},
		{`["b"]`, `["c"]`, false},
		{`null`, `["c"]`, false},
		{`"a"`, `"a"`, true},
		{``, "x", true},
	} {
		if got := shows([]byte(test.record), []byte(test.cell)); got != test.want {
			t.Errorf("%s in %s: %t", test.cell, test.record, got)
		}
	}
}
