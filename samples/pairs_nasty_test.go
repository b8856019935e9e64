package samples

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/mappings"
	"flytt/pipeline"
)

// nastyResource has a field of every type.
const nastyResource = `
resource: nasty
application: test
path: /test/nasty/
key: n
fields:
  - {name: n, type: string}
  - {name: text, type: string}
  - {name: id, type: uuid}
  - {name: day, type: date}
  - {name: moment, type: date-time}
  - {name: whole, type: integer}
  - {name: number, type: number}
  - {name: flag, type: boolean}
  - {name: list, type: any}
`

// nasty is a value that makes trouble in one format or another.
type nasty struct {
	field, value string
	becomes      map[string]string        // by format, if it is not the same again
	refused      map[string]pipeline.Code // by format that cannot hold it
}

// tellsEmpty are the formats in which an empty text is not the same as no value.
// In a conversion it is: a mapping takes what is empty for no value.
var tellsEmpty = []string{"jsonl", "parquet", "xlsx"}

// in says that a value becomes another in one format, by that it is refused.
func in(format, value string) map[string]string { return map[string]string{format: value} }

func by(format string, code pipeline.Code) map[string]pipeline.Code {
	return map[string]pipeline.Code{format: code}
}

// shortened shows the beginning of a value.
func shortened(v string) string {
	if len(v) > 40 {
		return fmt.Sprintf("%q… (%d bytes)", v[:12], len(v))
	}
	return fmt.Sprintf("%q", v)
}

// nasties is what each format makes of trouble. A value without more comes
// back as it is from every format.
var nasties = []nasty{
	{field: "text", value: `say "hi", 'you'; ok|`},
	{field: "text", value: "a\nb"},
	{field: "text", value: "a\r\nb"},
	{field: "text", value: "a\rb"},
	{field: "text", value: "a\tb"},
	{field: "text", value: "  padded\t"},
	{field: "text", value: "\u00a0"},
	{field: "text", value: "=1+1"},
	{field: "text", value: "=cmd|' /C calc'!A0"},
	{field: "text", value: "@x"},
	{field: "text", value: "-x"},
	{field: "text", value: "'=x"},
	{field: "text", value: "'"},
	{field: "text", value: "+46701740605"},
	{field: "text", value: "0123"},
	{field: "text", value: "198501022399"},
	{field: "text", value: "1e5"},
	{field: "text", value: "2024-01-02"},
	{field: "text", value: "null"},
	{field: "text", value: "true"},
	{field: "text", value: "#N/A"},
	{field: "text", value: `{"a":1}`},
	{field: "text", value: "[1]"},
	{field: "text", value: `"`},
	{field: "text", value: `\`},
	{field: "text", value: strings.Repeat("å", 32_767)},
	{field: "text", value: strings.Repeat("x", 40_000), refused: by("xlsx", "cell_too_long")},
	{field: "text", value: "\U0001F600\U0001F468\u200D\U0001F469"},
	{field: "text", value: "\u00e5"},
	{field: "text", value: "a\u030a"},
	{field: "text", value: "\uFEFFx"},
	{field: "text", value: "x\uFEFFy"},
	{field: "text", value: "\uFEFF"},
	{field: "text", value: "_x000D_"},
	{field: "text", value: "<b>&amp;]]></b>"},
	{field: "text", value: "\u2028\u0085"},
	{field: "text", value: "\x01\x1f\x7f"},
	{field: "text", value: "\uFFFE\uFFFF\uFFFD"},
	{field: "text", value: ""},

	{field: "id", value: "6f9a3c1e-0000-4000-8000-777777000001"},
	{field: "id", value: "6F9A3C1E-0000-4000-8000-777777000001"},

	{field: "day", value: "2024-02-29"},
	{field: "day", value: "1900-02-28"},
	{field: "day", value: "0001-01-01"},
	{field: "day", value: "9999-12-31"},

	// A workbook knows no time zones and thousandths of a second at most, and says
	// of midnight the day; Parquet has its times in UTC, in millionths.
	{field: "moment", value: "2024-01-02T03:04:05Z", becomes: in("xlsx", "2024-01-02T03:04:05")},
	{field: "moment", value: "2024-01-02T03:04:05", refused: by("parquet", "not_date_time")},
	{field: "moment", value: "2024-01-02T03:04:05+02:00", becomes: map[string]string{"parquet": "2024-01-02T01:04:05Z", "xlsx": "2024-01-02T01:04:05"}},
	{field: "moment", value: "2024-01-02T01:04:05Z", becomes: in("xlsx", "2024-01-02T01:04:05")},
	{field: "moment", value: "2024-01-02T01:04:05", refused: by("parquet", "not_date_time")},
	{field: "moment", value: "2024-01-02T00:00:00Z", becomes: in("xlsx", "2024-01-02")},
	{field: "moment", value: "2024-01-02", refused: by("parquet", "not_date_time")},
	{field: "moment", value: "2024-01-02T03:04:05.5Z", becomes: map[string]string{"parquet": "2024-01-02T03:04:05.500Z", "xlsx": "2024-01-02T03:04:05.500"}},
	{field: "moment", value: "2024-01-02T03:04:05.500Z", becomes: in("xlsx", "2024-01-02T03:04:05.500")},
	{field: "moment", value: "2024-01-02T03:04:05.500", refused: by("parquet", "not_date_time")},
	{field: "moment", value: "2024-01-02T03:04:05.123456Z", becomes: in("xlsx", "2024-01-02T03:04:05.123")},
	{field: "moment", value: "2024-01-02T03:04:05.123", refused: by("parquet", "not_date_time")},
	{field: "moment", value: "2024-01-02T03:04:05.123456789Z", becomes: in("parquet", "2024-01-02T03:04:05.123456Z")},

	// Parquet has whole numbers of 64 bits.
	{field: "whole", value: "0"},
	{field: "whole", value: "-7"},
	{field: "whole", value: "123456789012345"},
	{field: "whole", value: "1234567890123456"},
	{field: "whole", value: "9223372036854775807"},
	{field: "whole", value: "99999999999999999999", refused: by("parquet", "not_integer")},

	// Parquet and a workbook have doubles; a workbook has others as text.
	{field: "number", value: "12.5"},
	{field: "number", value: "-0.25"},
	{field: "number", value: "0.1"},
	{field: "number", value: "1.50", becomes: map[string]string{"parquet": "1.5", "xlsx": "1.5"}},
	{field: "number", value: "1e-7", becomes: map[string]string{"parquet": "1e-07", "xlsx": "0.0000001"}},
	{field: "number", value: "1e-07", becomes: in("xlsx", "0.0000001")},
	{field: "number", value: "0.0000001", becomes: in("parquet", "1e-07")},
	{field: "number", value: "12345678901234.5678", becomes: in("parquet", "12345678901234.568")},
	{field: "number", value: "1e400", refused: by("parquet", "not_number")},

	{field: "flag", value: "true"},
	{field: "flag", value: "false"},

	{field: "list", value: "[1,2]"},
	{field: "list", value: `[{"a":"å\n"}]`},
}

// kept returns what format makes of a value, or the code with which it refuses
// it.
func kept(format, field, value string) (string, pipeline.Code) {
	for i := range nasties {
		n := &nasties[i]
		if n.field != field || n.value != value {
			continue
		}
		if code := n.refused[format]; code != "" {
			return "", code
		}
		if after, ok := n.becomes[format]; ok {
			return after, ""
		}
	}
	return value, ""
}

// nastyRows returns a row for each value: its number, and the value in its
// field.
func nastyRows(fields []string) [][]string {
	rows := make([][]string, len(nasties))
	for i, n := range nasties {
		rows[i] = slices.Repeat([]string{null}, len(fields))
		rows[i][0] = fmt.Sprint("r", i)
		rows[i][slices.Index(fields, n.field)] = n.value
	}
	return rows
}

// through returns what is left of the nasty rows after having been in files of
// each of formats, in turn, and the codes with which the last of them refuses
// some.
func through(formats ...string) (table, map[pipeline.Code]int) {
	rows := table{}
	var refused map[pipeline.Code]int
	for i, n := range nasties {
		rows[fmt.Sprint("r", i)] = map[string]string{n.field: n.value}
	}
	for i, format := range formats {
		refused = map[pipeline.Code]int{}
		for key, row := range rows {
			for field, value := range row {
				after, code := kept(format, field, value)
				row[field] = after
				switch {
				case code != "":
					refused[code]++
					delete(rows, key)
				case after == "" && (i > 0 || !slices.Contains(tellsEmpty, format)):
					delete(row, field)
				}
			}
		}
	}
	return rows, refused
}

// TestNastyValuesGoThroughEveryPair writes values that make trouble to every
// kind of file, and from there to every other. What is lost on the way is what
// nasties says, and nothing else.
func TestNastyValuesGoThroughEveryPair(t *testing.T) {
	resource, err := mappings.ParseResource("nasty.yaml", []byte(nastyResource))
	if err != nil {
		t.Fatal(err)
	}
	fields := resource.Columns()
	dir := t.TempDir()
	for _, from := range append(variants(), arrayVariant) {
		once, refused := through(formatOf(from))
		c := &converter{plan: asItIs(resource), want: refused}
		input := c.run(t, &given{columns: fields, rows: nastyRows(fields)}, filepath.Join(dir, "in."+from))
		compareTables(t, from, once, readTable(t, input, slices.Contains(tellsEmpty, formatOf(from))))
		for _, to := range variants() {
			t.Run(from+" to "+to, func(t *testing.T) {
				twice, refused := through(formatOf(from), formatOf(to))
				c := &converter{plan: mapped(resource), want: refused}
				output := c.write(t, input, filepath.Join(t.TempDir(), "out."+to))
				compareTables(t, to, twice, readTable(t, output, false))
			})
		}
	}
}

// asItIs returns the plan of an export, in which nothing changes.
func asItIs(r *mappings.Resource) func(*testing.T, []string) *mappings.Plan {
	return func(t *testing.T, columns []string) *mappings.Plan {
		plan, err := mappings.ExportPlan(r, columns, mappings.ColumnSelection{})
		if err != nil {
			t.Fatal(err)
		}
		return plan
	}
}

// mapped returns the plan of a mapping that takes every field from the column of
// its name, with the white space around it.
func mapped(r *mappings.Resource) func(*testing.T, []string) *mappings.Plan {
	keep := false
	m := &mappings.Mapping{Input: mappings.Input{Trim: &keep}}
	for _, name := range r.Columns() {
		m.Fields = append(m.Fields, mappings.Rule{Field: name, From: []string{name}})
	}
	return func(t *testing.T, columns []string) *mappings.Plan {
		plan, err := m.Compile(r, columns, mappings.CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return plan
	}
}

// compareTables reports the rows in which got is not want, each with the value
// that it began as.
func compareTables(t *testing.T, what string, want, got table) {
	t.Helper()
	for i, n := range nasties {
		key := fmt.Sprint("r", i)
		if maps.Equal(want[key], got[key]) && (want[key] == nil) == (got[key] == nil) {
			continue
		}
		t.Errorf("%s: %s %s (-want +got):\n%s", what, n.field, shortened(n.value), cmp.Diff(want[key], got[key]))
	}
	if len(got) > len(nasties) {
		t.Errorf("%s: %d rows, want %d", what, len(got), len(nasties))
	}
}
