package mappings

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// YAML returns the mapping as a mapping file that ParseMapping reads back as the same
// mapping. Equal mappings give equal bytes.
func (m *Mapping) YAML() ([]byte, error) {
	var b bytes.Buffer
	if m.Resource != "" {
		fmt.Fprintf(&b, "resource: %s\n", scalar(m.Resource))
	}
	m.Input.write(&b)
	b.WriteString("fields:\n")
	for i := range m.Fields {
		r := &m.Fields[i]
		fmt.Fprintf(&b, "  %s: %s\n", scalar(r.Field), r.yaml())
	}
	if m.Where != "" {
		fmt.Fprintf(&b, "where: %s\n", scalar(m.Where))
	}
	if m.Key != "" {
		fmt.Fprintf(&b, "key: %s\n", scalar(m.Key))
	}
	if len(m.Severity) > 0 {
		b.WriteString("severity:\n")
		for _, code := range slices.Sorted(maps.Keys(m.Severity)) {
			fmt.Fprintf(&b, "  %s: %s\n", scalar(string(code)), m.Severity[code])
		}
	}
	if _, err := ParseMapping("mapping.yaml", b.Bytes()); err != nil {
		return nil, fmt.Errorf("mapping cannot be written: %w", err)
	}
	return b.Bytes(), nil
}

func (i *Input) write(b *bytes.Buffer) {
	var lines []string
	add := func(key, value string) { lines = append(lines, "  "+key+": "+value+"\n") }
	if i.Encoding != "" {
		add("encoding", scalar(i.Encoding))
	}
	if i.Delimiter != "" {
		add("delimiter", quoted(i.Delimiter))
	}
	if i.Sheet != "" {
		add("sheet", scalar(i.Sheet))
	}
	if i.HeaderRow != 0 {
		add("header_row", strconv.Itoa(i.HeaderRow))
	}
	if i.Nulls != nil {
		add("nulls", flowList(i.Nulls, quoted))
	}
	if i.Trim != nil {
		add("trim", strconv.FormatBool(*i.Trim))
	}
	if len(lines) > 0 {
		b.WriteString("input:\n" + strings.Join(lines, ""))
	}
}

// yaml returns the rule in its shortest form.
func (r *Rule) yaml() string {
	var parts []string
	switch {
	case r.Const != nil:
		parts = append(parts, "const: "+quoted(*r.Const))
	case r.Expr != "":
		parts = append(parts, "expr: "+scalar(r.Expr))
	case len(r.From) == 1 && r.Apply == nil && r.Lookup == nil && r.Default == nil:
		return scalar(r.From[0])
	case len(r.From) == 1:
		parts = append(parts, "from: "+scalar(r.From[0]))
	default:
		parts = append(parts, "from: "+flowList(r.From, scalar))
	}
	if r.Apply != nil {
		parts = append(parts, "apply: "+flowList(r.Apply, Conversion.yaml))
	}
	if l := r.Lookup; l != nil {
		parts = append(parts, fmt.Sprintf("lookup: {file: %s, key: %s, value: %s}", scalar(l.File), scalar(l.Key), scalar(l.Value)))
	}
	if r.Default != nil {
		parts = append(parts, "default: "+quoted(*r.Default))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

var plainArgument = regexp.MustCompile(`^[\pL\pN=+][\pL\pN=+._/-]*$`)

func (c Conversion) yaml() string {
	if c.Table == nil && !c.Strict {
		if len(c.Args) == 0 {
			return scalar(c.Name)
		}
		if len(c.Args) == 1 && plainArgument.MatchString(c.Args[0]) {
			return scalar(c.Name + "(" + c.Args[0] + ")")
		}
	}
	value := flowList(c.Args, quoted)
	if c.Table != nil {
		value = "{" + strings.Join(pairs(c.Table), ", ") + "}"
	}
	if c.Strict {
		return "{" + scalar(c.Name) + ": " + value + ", strict: true}"
	}
	return "{" + scalar(c.Name) + ": " + value + "}"
}

func pairs(table []Replacement) []string {
	out := make([]string, len(table))
	for i, r := range table {
		to := "null"
		if r.To != nil {
			to = quoted(*r.To)
		}
		out[i] = quoted(r.From) + ": " + to
	}
	return out
}

func flowList[T any](items []T, text func(T) string) string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = text(item)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

var (
	plainScalar = regexp.MustCompile(`^[\pL_][\pL\pN_ ./()=+-]*$`)
	yamlWord    = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n|inf|nan)$`)
)

// scalar returns text as a YAML scalar, in quotes where it needs them.
func scalar(text string) string {
	if plainScalar.MatchString(text) && !strings.HasSuffix(text, " ") && !yamlWord.MatchString(text) {
		return text
	}
	return quoted(text)
}

// quoted returns text as a double-quoted YAML scalar on one line.
func quoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c >= 0x7F && c < 0xA0 || c == 0xFEFF || c == 0x2028 || c == 0x2029:
			fmt.Fprintf(&b, `\u%04X`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
