package sources

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/pipeline"
)

// faultyJSONL has a row for each code.
var faultyJSONL = strings.Join([]string{
	`{"a":1,"b":{"c":2}}`,
	strings.Repeat(`{"a":1}`+"\n", sampleSize/8),
	`{"a":NaN}`,
	`{"a":1,"\u0061":2}`,
	`"a"`,
	`{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	`{"a":"` + strings.Repeat("x", 3<<20) + `"}`,
	`{"a":1,"b":{"d":2}}`,
	`{"a":""}`,
	"{\"a\":\"\xFF\"}",
	`{"a":"\u0000"}`,
}, "\n")

func TestFormsOfJSON(t *testing.T) {
	const columns = "id|name|client.id|tags"
	want := lines("1|Åsa|c1|[1,{}]", "2|∅|∅|∅")
	for _, test := range []struct{ name, content string }{
		{"lines", `{"id":1,"name":"Åsa","client":{"id":"c1"},"tags":[1,{}]}` + "\n" + `{"id":2}` + "\n"},
		{"the last line without its end", `{"id":1,"name":"Åsa","client":{"id":"c1"},"tags":[1,{}]}` + "\n\n \n" + `{"id":2}`},
		{"CRLF and white space", "\r\n \t" + `{ "id" : 1,"name" :"\u00c5sa","client":{ "id":"c1"},"tags":[ 1 ,	{ } ] }` + "\t\r\n" + `{"id":2,"client":null}` + "\r\n"},
		{"a byte order mark", bomUTF8 + `{"id":1,"name":"Åsa","client":{"id":"c1"},"tags":[1,{}]}` + "\n" + `{"id":2,"client":{}}` + "\n"},
		{"an array", ` [{"id":1,"name":"Åsa","client":{"id":"c1"},"tags":[1,{}]},{"id":2}]`},
		{"an array over lines", "\n[\n{\"id\":1,\n\"name\":\"Åsa\",\n\"client\":{\"id\":\"c1\"},\"tags\":[1,\r\n{}]}\n,\n{\"id\":2}\n]\n\n"},
		{"UTF-16", utf16Of(`{"id":1,"name":"Åsa","client":{"id":"c1"},"tags":[1,{}]}` + "\n" + `{"id":2}` + "\n")},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, info := open(t, test.content, Options{})
			if got := strings.Join(s.Columns(), "|"); got != columns || info.Format != "jsonl" {
				t.Errorf("format %s, columns %s", info.Format, got)
			}
			rows, err := dumpRows(t, s)
			for i := range rows {
				_, rows[i], _ = strings.Cut(rows[i], ": ")
			}
			if diff := cmp.Diff(want, rows); diff != "" || err != nil {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// utf16Of returns text in UTF-16LE with a byte order mark.
func utf16Of(text string) string {
	var b strings.Builder
	b.WriteString(bomUTF16LE)
	for _, r := range text {
		b.WriteByte(byte(r))
		b.WriteByte(byte(r >> 8))
	}
	return b.String()
}

func TestContractFixturesOfJSON(t *testing.T) {
	const none = "∅|∅|∅|∅|∅|∅|∅|∅"
	want := lines(
		"K1|Åsa Öberg|true|1234567890123456789.50|c1|Bygg AB|[\"a\",\"b, c\"]|∅",
		"K2|Björn \"Bull\" Ek|false|1e400|c2|∅|[]|∅",
		"K3||∅|9223372036854775808|∅|∅|∅|[1,{\"y\":null}]",
		"K4|rad ett\nrad två\t\U0001F600|∅|-0|∅|∅|∅|∅",
		none+` +{"Kundnr":"K5","Namn":"trasig","Saldo":NaN} !bad_json@-1(at character 40: a value is expected here)`,
		none+` +{"Kundnr":"K6","Kundnr":"K7"} !duplicate_name@-1(at character 16: a name that the object has already)`,
		"K7|∅|∅|∅|17|∅|[1,\" x \"]|∅",
		none+` +["inget objekt"] !not_object@-1(at character 1: an array where an object is expected)`,
		none+` +{"Kundnr":"K8","Namn":"half \ud83d"} !invalid_encoding@-1(at character 29: half of a surrogate pair)`,
		"K9|nul \x00|∅|∅|∅|∅|∅|∅ !nul_byte@1(a NUL byte)",
		"K10|=1+1|∅|0045|∅|∅|∅|∅",
	)
	for name, starts := range map[string][]int{
		"jsonl.jsonl": {1, 2, 4, 5, 6, 7, 8, 9, 10, 12, 13},
		"jsonl.json":  {2, 3, 4, 5, 8, 9, 10, 11, 12, 14, 15},
	} {
		rows := contractRows(t, filepath.Join("testdata", "contract", name), 1<<20)
		var got []string
		for _, r := range rows {
			if strings.Contains(r, ": blank_row") {
				continue
			}
			number, rest, _ := strings.Cut(r, ": ")
			if len(got) < len(starts) && number != fmt.Sprint(starts[len(got)]) {
				t.Errorf("%s: row %s, want %d", name, number, starts[len(got)])
			}
			got = append(got, rest)
		}
		if name == "jsonl.json" {
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for name, same := range map[string]string{"jsonl.ndjson.gz": "jsonl.jsonl", "jsonl.json.zst": "jsonl.json"} {
		dir := filepath.Join("testdata", "contract")
		if diff := cmp.Diff(contractRows(t, filepath.Join(dir, same), 1<<20), contractRows(t, filepath.Join(dir, name), 1<<20)); diff != "" {
			t.Errorf("%s (-%s +it):\n%s", name, same, diff)
		}
	}
}

func TestColumnsOfJSON(t *testing.T) {
	for _, test := range []struct{ name, content, columns, row string }{
		{"the order they come in", `{"b":1,"a":2}` + "\n" + `{"c":3,"a":4}`, "b|a|c", "1: 1|2|∅"},
		{"an object that is also a value", `{"a":"x"}` + "\n" + `{"a":{"id":1}}`, "a|a.id", "1: x|∅"},
		{"an object that is only ever empty", `{"a":{},"b":null}` + "\n" + `{"c":1}`, "a|b|c", "1: {}|∅|∅"},
		{"an object deep within", `{"a":{"b":{"c":{"d":"e"}},"f":true}}`, "a.b.c.d|a.f", "1: e|true"},
		{"a name with a dot", `{"a.b":1}`, "a.b", "1: 1"},
		{"an escaped name", `{"\u00e5\t":1}`, "å\t", "1: 1"},
		{"a broken line first", `{"a":}` + "\n" + `{"a":1}`, "a", `1: ∅ +{"a":} !bad_json@-1(at character 6: a value is expected here)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, _ := open(t, test.content, Options{})
			rows, err := dumpRows(t, s)
			if got := strings.Join(s.Columns(), "|"); got != test.columns || err != nil || len(rows) == 0 || rows[0] != test.row {
				t.Errorf("columns %s, row %q, error %v", got, rows, err)
			}
		})
	}
}

func TestMembersThatComeLaterAreWarnedOf(t *testing.T) {
	first := `{"a":1,"b":{"c":2},"v":"x"}` + "\n"
	content := strings.Repeat(first, sampleSize/len(first)+1)
	for later, want := range map[string]string{
		`{"a":1,"new":2}`:           "1|∅|∅ !unknown_member@-1(new) fate pending",
		`{"b":{"c":3,"d":4}}`:       "∅|3|∅ !unknown_member@-1(b.d) fate pending",
		`{"a":1,"b":"text"}`:        "1|∅|∅ !unknown_member@-1(b) fate pending",
		`{"a":1,"850102-2399 Å":2}`: "1|∅|∅ !unknown_member@-1() fate pending",
		`{"a":1,"b":null}`:          "1|∅|∅",
		`{"v":{"now":"an object"}}`: `∅|∅|{"now":"an object"}`,
	} {
		rows := rowsOf(t, content+later, Options{})
		if _, got, _ := strings.Cut(rows[len(rows)-1], ": "); got != want {
			t.Errorf("%s: %s, want %s", later, got, want)
		}
	}
}

func TestJSONThatCannotBeOpened(t *testing.T) {
	for name, test := range map[string]struct{ content, want string }{
		"pretty":      {"{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n", "standard input line 1: an object that goes on over several lines"},
		"no member":   {"{}\n{}\n", "standard input: holds no object with a member"},
		"empty array": {" [ ]\n", "standard input: holds no object with a member"},
		"no object":   {"[{},1]", "standard input line 1: at character 1: a number where an object is expected"},
		"bad line":    {`{"a":1,}`, "standard input line 1: at character 8: a name in quotes is expected here"},
		"long line":   {`{"a":"` + strings.Repeat("x", 2<<20) + `"}`, "standard input line 1: record is longer than 1 MiB"},
		"two ways":    {`{"a.b":1,"a":{"b":2}}`, "standard input: two members would be the column a.b: one has the dot in its name, one lies within an object"},
		"not UTF-8":   {"{\"a\":\"\xE5\"}\n", "standard input line 1: at character 7: bytes that are not UTF-8"},
	} {
		e := openFault(t, test.content, Options{})
		if e.Error() != test.want || e.Usage {
			t.Errorf("%s: %v, want %s", name, e, test.want)
		}
	}
	if e := openFault(t, `{"a":1}`, Options{Encoding: "cp850"}); !e.Usage || !strings.Contains(e.Error(), "never written in cp850") {
		t.Error(e)
	}
	var wide strings.Builder
	for i := range 10_001 {
		fmt.Fprintf(&wide, `,"n%d":%d`, i, i)
	}
	if e := openFault(t, "{"+wide.String()[1:]+"}", Options{}); !strings.Contains(e.Error(), "more than 10000 members") {
		t.Error(e)
	}
}

func TestArraysThatAreBroken(t *testing.T) {
	row := `{"a":1}`
	for name, test := range map[string]struct {
		content, want string
		rows          int
	}{
		"not closed":         {"[" + row + ",\n" + row + "\n", "line 3: the array is not closed before the end of the file", 2},
		"no comma":           {"[\n" + row + "\n" + row + "]", "line 3: byte 10: a comma, or the bracket that closes the array, is expected here", 1},
		"two commas":         {"[" + row + ",,\n" + row + "]", "line 1: byte 9: an object is expected here", 1},
		"a comma at the end": {"[" + row + ",]", "line 1: byte 9: an object is expected here", 1},
		"something after":    {"[" + row + "]\n \nx", "line 3: byte 12: something follows the bracket that closes the array", 1},
		"an open string":     {"[" + row + ",\n{\"a\":\"x},\n" + row + "]", "line 2: byte 15: a quote is not closed on its line", 1},
		"wrong bracket":      {"[" + row + ",\n{\"a\":[1},\n" + row + "]", "line 2: byte 17: a bracket is closed by one of another kind", 1},
		"an endless object":  {"[" + row + ",\n\n{\"a\":[" + strings.Repeat(`"x",`, 1<<19) + "]}]", "line 3: byte 11: what starts here is longer than 1 MiB, or is not closed", 1},
		"cut in the middle":  {"[" + row + `,{"a":`, "line 1: the array is not closed before the end of the file", 1},
	} {
		for _, size := range []int{0, 5} {
			s, _ := open(t, test.content, Options{BlockSize: size})
			rows, err := dumpRows(t, s)
			if err == nil || err.Error() != "standard input "+test.want || len(rows) != test.rows {
				t.Errorf("%s: %d rows, error %v, want %s", name, len(rows), err, test.want)
			}
		}
	}
}

func TestABadElementDoesNotTouchTheNext(t *testing.T) {
	rows := rowsOf(t, "[{\"a\":1}, {\"a\":nil},\n{\"a\":2}, 17, \"x,]\", [{}],\n {\"a\":{\"b\":[\n1,,2]}}, {\"a\":3} ]", Options{})
	want := lines("1: 1",
		`2: ∅ +{"a":nil} !bad_json@-1(at character 6: a value is expected here)`,
		"3: 2",
		"4: ∅ +17 !not_object@-1(at character 1: a number where an object is expected)",
		`5: ∅ +"x,]" !not_object@-1(at character 1: a string where an object is expected)`,
		"6: ∅ +[{}] !not_object@-1(at character 1: an array where an object is expected)",
		"7: ∅ +{\"a\":{\"b\":[\n1,,2]}} !bad_json@-1(at character 15: a value is expected here)",
		"8: 3")
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestContentDecidesBeforeTheName(t *testing.T) {
	for _, test := range []struct{ name, content, format, warning string }{
		{"a.json", `[{"a":1}]`, "jsonl", ""},
		{"a.jsonl.gz", `{"a":1}`, "jsonl", ""},
		{"a.csv", `{"a":1}`, "jsonl", "it is called .csv, but is JSONL and read as that"},
		{"a.jsonl", "a,b\n1,2\n", "csv", "it is called .jsonl, but is CSV and read as that"},
		{"a.json", "a;{b}\n1;2\n", "csv", "it is called .json, but is CSV and read as that"},
		{"a.jsonl", "NaN\n" + `{"a":1}`, "jsonl", ""},
		{"a.csv", "[id],{x}\n1,2\n", "csv", ""},
		{"a", `{"a":1}`, "jsonl", ""},
	} {
		_, info := mustOpen(t, write(t, test.name, []byte(test.content)), 0)
		if info.Format != test.format || strings.Join(info.Warnings, "; ") != test.warning {
			t.Errorf("%s %q: %s, %q", test.name, test.content, info.Format, info.Warnings)
		}
	}
}

// allocatedBy returns how many bytes f has allocated, in all.
func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// longLine is a line that goes on for n bytes, then rows.
type longLine struct {
	head, tail string
	n          int64
}

func (e *longLine) Read(p []byte) (int, error) {
	switch {
	case e.head != "":
		n := copy(p, e.head)
		e.head = e.head[n:]
		return n, nil
	case e.n > 0:
		n := min(int64(len(p)), e.n)
		for i := range p[:n] {
			p[i] = 'x'
		}
		e.n -= n
		return int(n), nil
	case e.tail != "":
		n := copy(p, e.tail)
		e.tail = e.tail[n:]
		return n, nil
	}
	return 0, io.EOF
}

func TestALineOfAGibibyteIsOneReject(t *testing.T) {
	size := int64(1 << 30)
	if testing.Short() {
		size = 1 << 26
	}
	in := &longLine{head: `{"a":1}` + "\n" + `{"a":"`, n: size, tail: "\"}\n" + `{"a":2}`}
	s, _, err := Open("-", &Options{Stdin: in})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var rows []string
	allocated := allocatedBy(func() { rows, err = dumpRows(t, s) })
	if diff := cmp.Diff(lines("1: 1", "2: ∅ !long_object@-1()", "3: 2"), rows); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	if allocated > 16<<20 {
		t.Errorf("%d bytes allocated", allocated)
	}
}

func TestDepthIsBounded(t *testing.T) {
	const maxDepth = 64
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + "}" }
	rows := rowsOf(t, strings.Join([]string{deep(maxDepth), deep(maxDepth + 1), deep(500_000), deep(1_000_000), `{"a":1}`}, "\n"), Options{})
	for i, want := range []string{"1: [[", "2: ∅ +{", "3: ∅ +{", "4: ∅ !long_object", "5: 1"} {
		if !strings.HasPrefix(rows[i], want) || (i == 1 || i == 2) != strings.Contains(rows[i], "!deep_json@-1(at character 69: objects") {
			t.Errorf("row %.40q…, want %s", rows[i], want)
		}
	}
}

func TestRowsOfAWideFileComeInSmallBlocks(t *testing.T) {
	var head strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&head, `,"n%d":%d`, i, i)
	}
	for _, form := range []struct{ open, between, end string }{{"", "\n", "\n"}, {"[", ",", "]"}} {
		content := form.open + "{" + head.String()[1:] + "}" + strings.Repeat(form.between+`{"n7":0}`, 20000) + form.end
		s, _ := open(t, content, Options{})
		var block pipeline.Block
		var b pipeline.Batch
		d, rows := s.Decoder(), 0
		for s.Next(context.Background(), &block) == nil {
			if err := d.Decode(&block, &b); err != nil {
				t.Fatal(err)
			}
			if rows += b.Len(); b.Len()*len(b.Input) > 1<<19 {
				t.Fatalf("%d cells in a block", b.Len()*len(b.Input))
			}
		}
		if rows != 20001 {
			t.Errorf("%d rows", rows)
		}
	}
}
