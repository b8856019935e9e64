package pipeline

// Code is the stable name of one kind of problem, in snake_case: check_digit.
type Code string

// CodeInfo documents a code for people.
type CodeInfo struct {
	Code     Code
	Stage    Stage
	Severity Severity // what it is unless the mapping says otherwise
}

// ErrorCodes documents codes of problems that are noted in stage and are errors.
func ErrorCodes(stage Stage, codes ...Code) []CodeInfo {
	infos := make([]CodeInfo, len(codes))
	for i, code := range codes {
		infos[i] = CodeInfo{Code: code, Stage: stage}
	}
	return infos
}

// Severity says what a problem does to its row.
type Severity uint8

const (
	Error   Severity = iota // the row is rejected
	Warning                 // the row is accepted, and the problem counted
	Repair                  // the value was changed by a stated rule, and the row is accepted; counted
)

var severityNames = [...]string{"error", "warning", "repair"}

// String returns error, warning or repair.
func (s Severity) String() string { return severityNames[s] }

// Stage is where in the flow a problem was found.
type Stage uint8

const (
	Read     Stage = iota // cutting and decoding the input
	Map                   // the mapping: conversions, lookups, expressions
	Validate              // the rules of the resource
	Write                 // what the sink, or the API behind it, said
)

var stageNames = [...]string{"read", "map", "validate", "write"}

// String returns the stage as the summary names it: read, map, validate or write.
func (s Stage) String() string { return stageNames[s] }

// None stands for no row, no field or no column in a Problem.
const None = -1

// Problem is one thing wrong with, or repaired in, one row. It carries no
// value of the row other than in Private, which only files of the run
// directory may show.
type Problem struct {
	Row      int32 // index in the batch; None: of the input, not of a row (a blank line)
	Field    int16 // index in the schema; None: of the row as a whole
	Column   int16 // index of the input column the value came from; None: no single one
	Severity Severity
	Stage    Stage
	Code     Code
	Shape    string // what can be said of the value without showing it: "12 digits", "line 17"
	Private  string // may hold a value: a key that a lookup did not find, a message of the API
}

// The two columns a rejects file has besides the input's own. A source that
// meets both in a header knows the file by them and leaves them out.
const (
	RowColumn    = "_row"
	ErrorsColumn = "_errors"
)
