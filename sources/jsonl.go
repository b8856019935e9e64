package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"flytt/pipeline"
)

// JSON is read as one object on each line (JSON Lines) or as an array of
// objects; the first character tells which.
//
//   - Members are columns, those of objects within by their dotted path
//     (external_client.id), in the order in which the first MiB of the file has
//     them. A member that no object had there is unknown to the columns: its rows
//     go on without it, with a warning.
//   - A string is its characters; a number, true and false stay as they are
//     written, however large or precise; arrays, and objects where a column
//     stands for them whole, are JSON without white space. Null, and a member that
//     is not there, are nulls; an object without members is one as well where its
//     members would be columns. "" is empty, not null.
//   - A row that is not JSON as checker has it is rejected, and its text kept as
//     a cell beyond the last column. In JSON Lines that ends with the line,
//     whatever is wrong; in an array brackets and quotes must still tell where it
//     ends.
//   - A row is numbered by the line it starts on, or by one more than the row
//     before where they share a line: in an array on a single line the objects
//     count from 1.

// The codes of JSON.
const (
	badJSON       pipeline.Code = "bad_json"
	duplicateName pipeline.Code = "duplicate_name"
	notObject     pipeline.Code = "not_object"
	deepJSON      pipeline.Code = "deep_json"
	longObject    pipeline.Code = "long_object"
	unknownMember pipeline.Code = "unknown_member"
)

// jsonCodes documents the codes that only JSON inputs note.
var jsonCodes = []pipeline.CodeInfo{
	{Code: badJSON, Stage: pipeline.Read, Severity: pipeline.Error,
		Meaning: "not valid JSON",
		Fix:     "Mend the object where the message says; NaN, Infinity, comments and commas at the end are not JSON."},
	{Code: duplicateName, Stage: pipeline.Read, Severity: pipeline.Error,
		Meaning: "two members of one object have the same name",
		Fix:     "Take one of them out: which of them counts is not defined."},
	{Code: notObject, Stage: pipeline.Read, Severity: pipeline.Error,
		Meaning: "a row that is JSON but no object",
		Fix:     `Write the row as an object with named members: {"name": "Anna"}.`},
	{Code: deepJSON, Stage: pipeline.Read, Severity: pipeline.Error,
		Meaning: fmt.Sprintf("objects and arrays more than %d deep within each other", maxDepth),
		Fix:     "Leave out what lies that deep, or write it as a string."},
	{Code: longObject, Stage: pipeline.Read, Severity: pipeline.Error,
		Meaning: "a line longer than 1 MiB, which is not kept here",
		Fix:     "Look the line up in the input; its members are to be fewer or shorter."},
	{Code: unknownMember, Stage: pipeline.Read, Severity: pipeline.Warning,
		Meaning: "members that no object has in the first MiB of the file, left out",
		Fix:     "If they are needed, move a row that has them to the beginning of the file."},
}

var (
	errNoObject   = errors.New("holds no object with a member")
	errPretty     = errors.New("an object that goes on over several lines")
	errManyNames  = fmt.Errorf("its objects have more than %d members with different names", maxJSONColumns)
	hintJSON      = "one object on each line is read, or an array of objects"
	hintJSONNames = "write members whose names are data as an array of objects"
)

const (
	maxJSONColumns = 10_000
	maxJSONCells   = 1 << 19 // of a block: what its rows need does not depend on how short they are
)

// jsonSource is JSON Lines or an array of objects.
type jsonSource struct {
	in     *input
	cut    jsonCutter
	layout *objectLayout
	names  []string
}

// openJSON opens JSON Lines or an array, whatever the name says.
func openJSON(in *input, o *Options) (pipeline.Source, *Info, error) {
	t, err := openJSONText(in, o)
	if err != nil {
		return nil, nil, err
	}
	s := &jsonSource{in: in, cut: jsonCutter{in: in, size: o.BlockSize, line: 1}}
	if s.cut.size <= 0 {
		s.cut.size = defaultBlockSize
	}
	s.cut.size = min(s.cut.size, maxRecordBytes)
	start := jsonSpace(t.sample, 0)
	if s.cut.array = start < len(t.sample) && t.sample[start] == '['; s.cut.array {
		s.cut.line += lineEnds(t.sample[:start], '\n')
		s.cut.offset = int64(start) + 1
	}
	if s.layout, s.names, err = surveyJSON(in, t, s.cut.array); err != nil {
		return nil, nil, err
	}
	s.cut.rows = max(1, maxJSONCells/len(s.names))
	in.skip(int(s.cut.offset))
	return s, &Info{Encoding: t.encoding, Evidence: t.evidence, LineEnd: t.lineEnd}, nil
}

// openJSONText reads the beginning of in, and leaves in behind a byte order
// mark. The text is UTF-8 from there on, or its rows are rejected.
func openJSONText(in *input, o *Options) (*text, error) {
	asked, err := encodingName(o.Encoding)
	if err == nil && asked != "" && newTable(asked, true) != nil {
		err = fmt.Errorf("JSON is never written in %s", asked)
	}
	if err != nil {
		return nil, in.usage(err, "leave the encoding out: JSON is UTF-8, or UTF-16 with a byte order mark")
	}
	t := &text{encoding: asked, evidence: "as asked"}
	if err := t.mark(in, asked); err != nil {
		return nil, err
	}
	if t.encoding == "" {
		t.encoding, t.evidence = utf8Enc, "JSON is"
	}
	t.sample = in.peek(sampleSize)
	t.whole = in.whole() && len(in.head) == len(t.sample)
	if len(t.sample) == 0 {
		return nil, in.empty()
	}
	t.lines()
	return t, nil
}

// Columns implements pipeline.Source.
func (s *jsonSource) Columns() []string { return s.names }

// Next implements pipeline.Source.
func (s *jsonSource) Next(ctx context.Context, b *pipeline.Block) error { return s.cut.next(ctx, b) }

// Decoder implements pipeline.Source.
func (s *jsonSource) Decoder() pipeline.Decoder {
	return &jsonDecoder{objectDecoder: newObjectDecoder(s.layout), array: s.cut.array}
}

// Close implements pipeline.Source.
func (s *jsonSource) Close() error { return s.in.Close() }

// startsJSON reports whether head is the start of an object with a name or of
// an array of objects, as no table starts.
func startsJSON(head []byte) string {
	text := jsonStart(head)
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return ""
	}
	next := text[1:]
	if next = next[jsonSpace(next, 0):]; len(next) > 0 && (text[0] == '{' && (next[0] == '"' || next[0] == '}') ||
		text[0] == '[' && (next[0] == '{' || next[0] == ']')) {
		return "JSON"
	}
	return ""
}

// holdsJSON reports whether a line of head may be an object, or all of it an
// array: a file that is called JSON then is, whatever its first line looks like.
func holdsJSON(head []byte) bool {
	text := jsonStart(head)
	if len(text) > 0 && text[0] == '[' {
		return true
	}
	for line := range bytes.Lines(text) {
		if i := jsonSpace(line, 0); i < len(line) && line[i] == '{' {
			return true
		}
	}
	return false
}

// jsonStart returns the first characters of head, without byte order mark and
// white space, as ASCII has them in UTF-16 as well.
func jsonStart(head []byte) []byte {
	if hasUTF16BOM(head) || utf16Order(head) != "" {
		head = bytes.ReplaceAll(head, []byte{0}, nil)
		head = bytes.TrimPrefix(bytes.TrimPrefix(head, []byte(bomUTF16LE)), []byte(bomUTF16BE))
	}
	head = bytes.TrimPrefix(head, []byte(bomUTF8))
	return head[jsonSpace(head, 0):]
}
