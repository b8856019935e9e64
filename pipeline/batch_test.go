package pipeline_test

import (
	"fmt"
	"strings"
	"testing"

	"flytt/pipeline"
)

// values renders a column, nulls as -.
func values(c *pipeline.Column) string {
	out := make([]string, c.Len())
	for i := range out {
		out[i] = "-"
		if v := c.Value(i); v != nil {
			out[i] = fmt.Sprintf("%q", v)
		}
		if c.Null(i) != (c.Value(i) == nil) {
			out[i] += " (Null and Value disagree)"
		}
	}
	return strings.Join(out, " ")
}

func column(vs ...string) *pipeline.Column {
	c := new(pipeline.Column)
	for _, v := range vs {
		c.Append([]byte(v))
	}
	return c
}

func wantValues(t *testing.T, c *pipeline.Column, want string) {
	t.Helper()
	if got := values(c); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAnEmptyValueIsNotANull(t *testing.T) {
	var c pipeline.Column
	c.Append([]byte{})
	c.Append(nil)
	c.Grow(func(text []byte) ([]byte, bool) { return text, true })
	wantValues(t, &c, `"" - ""`)
	c.Share(nil)
	c.AppendSpan(0, 0)
	c.AppendNull()
	wantValues(t, &c, `"" -`)
}

func TestGrowAppendsToTheText(t *testing.T) {
	c := column("a")
	c.Grow(func(text []byte) ([]byte, bool) { return append(text, "bc"...), true })
	c.Grow(func(text []byte) ([]byte, bool) { return append(text, "given up"...), false })
	c.Append([]byte("d"))
	wantValues(t, c, `"a" "bc" - "d"`)
	c.SetNull(1)
	wantValues(t, c, `"a" - - "d"`)
}

func TestTrimTakesWhiteSpaceAndMakesEmptyValuesNull(t *testing.T) {
	from := column(" a ", "\t\r\nb\u00A0", "\u00A0 \u00A0", "", "c d", "\u00C5ke\u00E0", "\xA0", "\xC2")
	from.AppendNull()
	var c pipeline.Column
	c.Trim(from)
	wantValues(t, &c, `"a" "b" - - "c d" "Åkeà" "\xa0" "\xc2" -`)
	c.View(from)
	wantValues(t, &c, `" a " "\t\r\nb\u00a0" "\u00a0 \u00a0" - "c d" "Åkeà" "\xa0" "\xc2" -`)
}

func TestNarrowLeavesOutTheStartOfAValue(t *testing.T) {
	c := column("16850102", "x")
	c.DropPrefix(0, 2)
	wantValues(t, c, `"850102" "x"`)
}

func TestAColumnNeverWritesIntoATextItBorrowed(t *testing.T) {
	for name, borrow := range map[string]func(c, from *pipeline.Column){
		"Trim": (*pipeline.Column).Trim,
		"View": (*pipeline.Column).View,
		"Share": func(c, from *pipeline.Column) {
			c.Share(from.Value(0)[:3:3])
			c.AppendSpan(0, 3)
		},
	} {
		t.Run(name, func(t *testing.T) {
			from := column("one", "two")
			for _, c := range []*pipeline.Column{new(pipeline.Column), column("a buffer of its own")} {
				borrow(c, from)
				borrow(c, from) // twice: the buffer to go back to is still its own
				c.Reset()
				if c.Len() != 0 {
					t.Errorf("%d rows after Reset", c.Len())
				}
				c.Append([]byte("XXXXXXX"))
				c.Grow(func(text []byte) ([]byte, bool) { return append(text, "YYY"...), true })
				wantValues(t, c, `"XXXXXXX" "YYY"`)
				wantValues(t, from, `"one" "two"`)
			}
		})
	}
}

func TestAppendingToAValueDoesNotReachTheNextOne(t *testing.T) {
	c := column("one", "two")
	_ = append(c.Value(0), "XXX"...)
	wantValues(t, c, `"one" "two"`)
}

func TestABatchIsEmptyAfterReset(t *testing.T) {
	var b pipeline.Batch
	for range 2 {
		b.Reset(2)
		if b.Len() != 0 || len(b.Input) != 2 || len(b.Problems) != 0 || len(b.Surplus) != 0 || b.Keys.Len() != 0 || len(b.Fields) != 0 {
			t.Fatalf("not empty: %+v", b)
		}
		b.AddRow(17)
		for i := range b.Input {
			b.Input[i].Append([]byte("v"))
		}
		for _, f := range b.SizeFields(3) {
			f.Reset()
		}
		b.Keys.View(&b.Input[0])
		b.Surplus = append(b.Surplus, pipeline.Surplus{Cell: "v"})
		b.Note(problem(0, pipeline.Map, "code"))
	}
	b.Reset(0)
	b.Reset(3)
	for i := range b.Input {
		if b.Input[i].Len() != 0 {
			t.Errorf("column %d has %d rows", i, b.Input[i].Len())
		}
	}
}

func TestNoteRejectsTheRowOfAnErrorOnly(t *testing.T) {
	var b pipeline.Batch
	for range 5 {
		b.AddRow(1)
	}
	for _, p := range []pipeline.Problem{
		{Row: 0, Severity: pipeline.Warning},
		{Row: 1, Severity: pipeline.Repair},
		{Row: 2, Stage: pipeline.Validate},
		{Row: 3, Stage: pipeline.Read},
		{Row: 3, Stage: pipeline.Map},
		{Row: pipeline.None},
	} {
		b.Note(p)
	}
	want := []pipeline.Fate{pipeline.Pending, pipeline.Pending, pipeline.Rejected, pipeline.Broken, pipeline.Pending}
	if fmt.Sprint(b.Fates) != fmt.Sprint(want) || len(b.Problems) != 6 {
		t.Errorf("fates %v, %d problems; want %v", b.Fates, len(b.Problems), want)
	}
}

func TestAChunkSettlesOnlyItsPendingRows(t *testing.T) {
	c := &pipeline.Chunk{Batch: pipeline.Batch{Fates: []pipeline.Fate{pipeline.Pending, pipeline.Rejected, pipeline.Pending}}}
	if n := c.Pending(); n != 2 {
		t.Errorf("%d rows pending, want 2", n)
	}
	if n := c.SetPending(pipeline.NotSent); n != 2 || c.Pending() != 0 || c.Fates[1] != pipeline.Rejected {
		t.Errorf("%d settled: %v", n, c.Fates)
	}
}

func TestEncodedItemsAreTheirRows(t *testing.T) {
	var e pipeline.Encoded
	for range 2 {
		e.Reset()
		for _, item := range []string{"one", "", "three"} {
			e.Data = append(e.Data, item...)
			e.EndRow()
		}
		if got := fmt.Sprintf("%s|%s|%s", e.Item(0), e.Item(1), e.Item(2)); got != "one||three" {
			t.Errorf("items %s", got)
		}
	}
}

func TestNamesOfTheVocabulary(t *testing.T) {
	got := fmt.Sprint(pipeline.Pending, pipeline.Broken, pipeline.NotSent, pipeline.Error, pipeline.Repair, pipeline.Read, pipeline.Write, pipeline.Text, pipeline.JSON)
	if want := "pending broken not_sent error repair read write string any"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if i := schema.Index("word"); i != 1 {
		t.Errorf("word is field %d, want 1", i)
	}
	if i := schema.Index("none"); i != -1 {
		t.Errorf("none is field %d, want -1", i)
	}
}
