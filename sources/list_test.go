package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	apilist "flytt/internal/api/list"
	"flytt/pipeline"
)

// The client's reader of lists is what a list is made of.
var _ RowReader = (*apilist.Rows)(nil)

// pages is a RowReader of objects in memory, handed out size at a time.
type pages struct {
	objects []string
	size    int
	err     error // at the end; nil: io.EOF
	with    bool  // the error comes with the last objects
	closed  int
}

func (p *pages) Next(ctx context.Context, dst []byte) ([]byte, int, error) {
	if err := ctx.Err(); err != nil {
		return dst, 0, err
	}
	n := min(p.size, len(p.objects))
	for _, o := range p.objects[:n] {
		dst = append(append(dst, o...), '\n')
	}
	p.objects = p.objects[n:]
	if n > 0 && (!p.with || len(p.objects) > 0) {
		return dst, n, nil
	}
	if p.err != nil {
		return dst, n, p.err
	}
	return dst, n, io.EOF
}

func (p *pages) Close() error {
	p.closed++
	return nil
}

// contactColumns are columns of every kind.
func contactColumns() []Column {
	return []Column{
		{Name: "id"}, {Name: "name"}, {Name: "external_client.id", Kind: Reference},
		{Name: "floors", Kind: Literal}, {Name: "tags", Kind: JSON},
	}
}

func listOf(objects ...string) *pages { return &pages{objects: objects, size: 2} }

func contactList() *pages {
	return listOf(
		`{"id":"1","name":"Åsa","external_client":{"id":"c1"},"floors":3,"tags":[1,2]}`,
		`{"id":"2","name":"B\u00f6rje \"B\" \ud83d\ude00","external_client":null,"floors":null,"tags":null}`,
		`{"tags":{"a":"b c"},"floors":-1.5e3,"name":"","external_client":"c3","id":"3"}`,
		`{ "id" : "4" , "external_client" : {} , "tags" : [ 1 , " x " ] }`,
		`{"id":"5","name":null,"external_client":{"name":"X AB","id":"c5"},"nickname":"Bo"}`,
		`{}`,
		`{"id":7,"name":true,"external_client":[ "x" ],"floors":"12.50","tags":"text"}`,
	)
}

var contactRows = []string{
	"1: 1|Åsa|c1|3|[1,2]",
	"2: 2|Börje \"B\" \U0001F600|∅|∅|∅",
	"3: 3||c3|-1.5e3|{\"a\":\"b c\"}",
	"4: 4|∅|∅|∅|[1,\" x \"]",
	"5: 5|∅|c5|∅|∅",
	"6: ∅|∅|∅|∅|∅",
	"7: 7|true|[\"x\"]|12.50|\"text\"",
}

func TestListDecodesObjects(t *testing.T) {
	want := slices.Clone(contactRows)
	want[4] += " !unknown_field@2(within external_client) fate pending"
	rows, err := dumpRows(t, NewList(contactList(), contactColumns(), ListOptions{}))
	if diff := cmp.Diff(want, rows); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

func TestListKeepsWhatItDoesNotKnow(t *testing.T) {
	want := slices.Clone(contactRows)
	for i := range want {
		want[i] += "|∅"
	}
	want[4] = strings.TrimSuffix(want[4], "∅") + `{"external_client.name":"X AB","nickname":"Bo"}`
	s := NewList(contactList(), contactColumns(), ListOptions{Extra: true})
	rows, err := dumpRows(t, s)
	if diff := cmp.Diff(want, rows); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	if names := s.Columns(); names[len(names)-1] != ExtraColumn || len(names) != 6 {
		t.Errorf("columns %q", names)
	}
}

// decodeList returns the only row that object is.
func decodeList(t testing.TB, object string, columns []Column, o ListOptions) string {
	t.Helper()
	rows, err := dumpRows(t, NewList(listOf(object), columns, o))
	if err != nil || len(rows) != 1 {
		t.Fatalf("%s: %q, %v", object, rows, err)
	}
	return strings.TrimPrefix(rows[0], "1: ")
}

func TestListTakesValuesOfEveryKindAsWellAsMayBe(t *testing.T) {
	for _, test := range []struct {
		value                          string
		text, literal, json, reference string
	}{
		{`null`, "∅", "∅", "∅", "∅"},
		{`""`, "", `""`, `""`, ""},
		{`"a b"`, "a b", `"a b"`, `"a b"`, "a b"},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t", `"\"\\\/\b\f\n\r\t"`, `"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		{`"x\u00E5\u00e4y"`, "xåäy", `"x\u00E5\u00e4y"`, `"x\u00E5\u00e4y"`, "xåäy"},
		{`"\uD83D\uDE00"`, "\U0001F600", `"\uD83D\uDE00"`, `"\uD83D\uDE00"`, "\U0001F600"},
		{`"\ud83d"`, "\uFFFD", `"\ud83d"`, `"\ud83d"`, "\uFFFD"},
		{`"\ud83d\u0041"`, "\uFFFDA", `"\ud83d\u0041"`, `"\ud83d\u0041"`, "\uFFFDA"},
		{`"\ude00\ud83d\ude00"`, "\uFFFD\U0001F600", `"\ude00\ud83d\ude00"`, `"\ude00\ud83d\ude00"`, "\uFFFD\U0001F600"},
		{`"\u0000"`, "\x00", `"\u0000"`, `"\u0000"`, "\x00"},
		{`-12.5e-3`, "-12.5e-3", "-12.5e-3", "-12.5e-3", "-12.5e-3"},
		{`"-12.5e-3"`, "-12.5e-3", "-12.5e-3", `"-12.5e-3"`, "-12.5e-3"},
		{`"007"`, "007", `"007"`, `"007"`, "007"},
		{`"1 "`, "1 ", `"1 "`, `"1 "`, "1 "},
		{`true`, "true", "true", "true", "true"},
		{`"false"`, "false", "false", `"false"`, "false"},
		{`[ ]`, "[]", "[]", "[]", "[]"},
		{"[ {\t\"a b\" : \" \\\" \" } ,\r\n1 ]", `[{"a b":" \" "},1]`, `[{"a b":" \" "},1]`, `[{"a b":" \" "},1]`, `[{"a b":" \" "},1]`},
		{`{ }`, "{}", "{}", "{}", "∅"},
		{`{"id" : "x\n"}`, `{"id":"x\n"}`, `{"id":"x\n"}`, `{"id":"x\n"}`, "x\n"},
		{`{"id":12}`, `{"id":12}`, `{"id":12}`, `{"id":12}`, "12"},
		{`{"id":null}`, `{"id":null}`, `{"id":null}`, `{"id":null}`, "∅"},
		{`{"\u0069d":{ "a": 1}}`, `{"\u0069d":{"a":1}}`, `{"\u0069d":{"a":1}}`, `{"\u0069d":{"a":1}}`, `{"a":1}`},
	} {
		for kind, want := range map[Kind]string{Text: test.text, Literal: test.literal, JSON: test.json, Reference: test.reference} {
			columns := []Column{{Name: "before"}, {Name: "v", Kind: kind}, {Name: "after"}}
			got := decodeList(t, `{"before":"b","v":`+test.value+`,"after":"a"}`, columns, ListOptions{})
			if got != "b|"+want+"|a" {
				t.Errorf("kind %d: %s: got %q, want %q", kind, test.value, got, "b|"+want+"|a")
			}
		}
	}
}

func TestListFindsMembersInAnyOrderAndSpelling(t *testing.T) {
	columns := []Column{{Name: "a"}, {Name: "b"}, {Name: "ab"}}
	want := "1|2|3"
	for _, object := range []string{
		`{"a":"1","b":"2","ab":"3"}`, `{"ab":"3","b":"2","a":"1"}`, `{"\u0061":"1","a\u0062":"3","b":"2"}`,
		`{"a":"x","ab":"3","b":"2","a":"1"}`, // of two with one name the last counts
	} {
		if got := decodeList(t, object, columns, ListOptions{}); got != want {
			t.Errorf("%s: got %s", object, got)
		}
	}
}

func TestListWarnsOncePerRowAndNamesOnlyPlainNames(t *testing.T) {
	for object, shape := range map[string]string{
		`{"nickname":1,"other":2}`:                "nickname",
		`{"8501022399-Åsa":1}`:                    "",
		`{"` + strings.Repeat("x", 41) + `":1}`:   "",
		`{"id":{"a":1},"":{}}`:                    "",
		`{"external_client":{"id":"1","n":[{}]}}`: "within external_client",
	} {
		d := NewList(nil, contactColumns(), ListOptions{}).Decoder()
		var b pipeline.Batch
		if err := d.Decode(&pipeline.Block{Data: []byte(object), Row: 1, Tag: 1}, &b); err != nil {
			t.Fatal(err)
		}
		if len(b.Problems) != 1 || b.Problems[0].Shape != shape || b.Problems[0].Code != unknownField ||
			b.Problems[0].Severity != pipeline.Warning || b.Problems[0].Row != 0 || b.Fates[0] != pipeline.Pending {
			t.Errorf("%s: %+v", object, b.Problems)
		}
	}
}

func TestListOfManyNames(t *testing.T) {
	var objects []string
	for i := range 1000 {
		objects = append(objects, fmt.Sprintf(`{"n%d":1,"id":"%d","n%d":2}`, i, i, i+1))
	}
	d := NewList(nil, contactColumns(), ListOptions{Extra: true}).Decoder()
	var b pipeline.Batch
	block := &pipeline.Block{Data: []byte(strings.Join(objects, "\n")), Row: 1, Tag: 1000}
	if err := d.Decode(block, &b); err != nil {
		t.Fatal(err)
	}
	for i := range objects {
		id, extra := string(b.Input[0].Value(i)), string(b.Input[5].Value(i))
		if id != fmt.Sprint(i) || extra != fmt.Sprintf(`{"n%d":1,"n%d":2}`, i, i+1) {
			t.Fatalf("row %d: id %s, extra %s", i, id, extra)
		}
	}
}

func TestListRefusesABlockThatIsNotWhatWasSaid(t *testing.T) {
	d := NewList(nil, contactColumns(), ListOptions{}).Decoder()
	for data, want := range map[string]string{
		"{}\n[]\n": "row 8 of the list: not an object",
		"{}\n":     "row 7 of the list: 1 objects came as a page of 2",
	} {
		var b pipeline.Batch
		err := d.Decode(&pipeline.Block{Data: []byte(data), Row: 7, Tag: 2}, &b)
		if err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %s", data, err, want)
		}
	}
}

func TestColumnOfAFieldGoesByItsType(t *testing.T) {
	for typ, want := range map[pipeline.Type]Kind{
		pipeline.Text: Text, pipeline.UUID: Text, pipeline.Date: Text, pipeline.DateTime: Text,
		pipeline.Integer: Literal, pipeline.Number: Literal, pipeline.Boolean: Literal, pipeline.JSON: JSON,
	} {
		if c := ColumnOf(pipeline.Field{Name: "a", Type: typ}, false); c != (Column{"a", want}) {
			t.Errorf("%v: %+v", typ, c)
		}
	}
	if c := ColumnOf(pipeline.Field{Name: "a.id", Type: pipeline.UUID}, true); c != (Column{"a.id", Reference}) {
		t.Errorf("%+v", c)
	}
}

// TestListContract holds the list to what the contract tests hold formats to.
func TestListContract(t *testing.T) {
	open := func(size int) pipeline.Source {
		p := contactList()
		p.size = size
		return NewList(p, contactColumns(), ListOptions{Extra: true})
	}
	want, err := dumpRows(t, open(100))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("same rows whatever the page size", func(t *testing.T) {
		for size := 1; size < 8; size++ {
			if got, err := dumpRows(t, open(size)); err != nil || !slices.Equal(got, want) {
				t.Errorf("pages of %d: %q, %v", size, got, err)
			}
		}
	})
	t.Run("Next after the end", func(t *testing.T) {
		s := open(3)
		var block pipeline.Block
		for s.Next(t.Context(), &block) == nil {
		}
		for range 3 {
			if err := s.Next(t.Context(), &block); err != io.EOF || len(block.Data) != 0 {
				t.Errorf("error %v with %d bytes", err, len(block.Data))
			}
		}
		if block.End != int64(len(want)) {
			t.Errorf("End is %d at the end", block.End)
		}
	})
	t.Run("Next gives up when the context ends", func(t *testing.T) {
		s := open(1)
		ctx, cancel := context.WithCancel(t.Context())
		var block pipeline.Block
		if err := s.Next(ctx, &block); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := s.Next(ctx, &block); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("decoders run side by side", func(t *testing.T) { listDecoders(t, open(1), want) })
}

func listDecoders(t *testing.T, s pipeline.Source, want []string) {
	var blocks []*pipeline.Block
	for {
		b := &pipeline.Block{}
		if s.Next(t.Context(), b) != nil {
			break
		}
		blocks = append(blocks, b)
	}
	dumps := make([][]string, len(blocks))
	var wg sync.WaitGroup
	for w := range 3 {
		d := s.Decoder()
		wg.Go(func() {
			var batch pipeline.Batch
			for i := w; i < len(blocks); i += 3 {
				if err := d.Decode(blocks[i], &batch); err != nil {
					t.Error(err)
				}
				dumps[i] = dumpBatch(&batch)
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(want, slices.Concat(dumps...)); diff != "" {
		t.Errorf("rows (-one decoder +three):\n%s", diff)
	}
}

func TestListHandsOutWhatComesWithAnError(t *testing.T) {
	broken := errors.New("broken")
	for _, want := range []error{nil, broken} {
		p := &pages{objects: []string{`{"id":"1"}`, `{"id":"2"}`, `{"id":"3"}`}, size: 2, err: want, with: true}
		s := NewList(p, []Column{{Name: "id"}}, ListOptions{})
		rows, err := dumpRows(t, s)
		if err != want || len(rows) != 3 {
			t.Errorf("%d rows, error %v, want %v", len(rows), err, want)
		}
		if s.Close() != nil || p.closed != 1 {
			t.Errorf("closed %d times", p.closed)
		}
	}
}

func TestAListWithoutRowsHasItsColumns(t *testing.T) {
	s := NewList(listOf(), contactColumns(), ListOptions{})
	rows, err := dumpRows(t, s)
	if len(rows) != 0 || err != nil || len(s.Columns()) != 5 {
		t.Errorf("%q, %v, columns %q", rows, err, s.Columns())
	}
}

func ExampleNewList() {
	columns := []Column{{Name: "name"}, {Name: "external_client.id", Kind: Reference}}
	s := NewList(&pages{size: 500, objects: []string{
		`{"name":"Åsa Ek","external_client":{"id":"7d44"}}`,
		`{"name":"Bo Ask","external_client":null}`,
	}}, columns, ListOptions{})
	defer s.Close()

	var block pipeline.Block
	var batch pipeline.Batch
	d := s.Decoder()
	for s.Next(context.Background(), &block) == nil {
		if err := d.Decode(&block, &batch); err != nil {
			fmt.Println(err)
		}
		for i := range batch.Len() {
			fmt.Printf("%d %s %q\n", batch.Rows[i], batch.Input[0].Value(i), batch.Input[1].Value(i))
		}
	}
	// Output:
	// 1 Åsa Ek "7d44"
	// 2 Bo Ask ""
}

// benchmarkObjects is a page of n objects of about 450 bytes.
func benchmarkObjects(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"id":"%08x-0000-4000-8000-%012x","name":"Anna-Karin Åström","external_client":{"id":"7d444840-9dc0-11d1-b245-5ffdce74fad2"},`+
			`"title":"Kontaktperson","ssn":"198501022399","created_at":"2024-05-06T07:08:09.123456Z","tags":[],"custom_id":"K-%07d","customer_columns":{},`+
			`"org_no":null,"first_name":"Anna-Karin","email":"user%d@example.se","organization":null,"corporate_name":null,"phone_number":"+46701234567","last_name":"Åström"}`+"\n", i, i, i, i)
	}
	return b.Bytes()
}

func benchmarkColumns() []Column {
	var columns []Column
	for _, name := range []string{"id", "name", "external_client.id", "title", "ssn", "created_at", "tags", "custom_id", "customer_columns",
		"org_no", "first_name", "email", "organization.id", "corporate_name", "phone_number", "last_name"} {
		c := Column{Name: name}
		switch {
		case strings.HasSuffix(name, ".id"):
			c.Kind = Reference
		case name == "tags" || name == "customer_columns":
			c.Kind = JSON
		}
		columns = append(columns, c)
	}
	return columns
}

func BenchmarkListDecode(b *testing.B) {
	const n = 500
	data := benchmarkObjects(n)
	d := NewList(nil, benchmarkColumns(), ListOptions{Extra: true}).Decoder()
	block := &pipeline.Block{Data: data, Row: 1, Tag: n}
	var batch pipeline.Batch
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := d.Decode(block, &batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
