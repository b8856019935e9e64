package mappings

import (
	"fmt"
	"strings"
)

// FileError is a fault at one position of a descriptor or a mapping file.
type FileError struct {
	File   string
	Line   int    // 1-based; 0: of the file as a whole
	Column int    // 1-based, in characters
	Text   string // the line at fault
	Msg    string // what is wrong
	Hint   string // what may be meant; may be empty
	Err    error  // the cause; may be nil
}

// Error returns the place and the fault, then the line with a mark below the
// column, then the hint, each on lines of its own:
//
//	mapping.yaml:12:9: column Namm is not known
//	  12 |   name: Namm
//	     |         ^
//	hint: did you mean Namn?
func (e *FileError) Error() string {
	var s strings.Builder
	s.WriteString(e.place() + e.Msg)
	if e.Err != nil {
		s.WriteString(": " + e.Err.Error())
	}
	if e.Text != "" {
		number := fmt.Sprint(e.Line)
		fmt.Fprintf(&s, "\n  %s | %s", number, e.Text)
		fmt.Fprintf(&s, "\n  %*s | %s^", len(number), "", markIndent(e.Text, e.Column))
	}
	if e.Hint != "" {
		s.WriteString("\nhint: " + e.Hint)
	}
	return s.String()
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

func (e *FileError) place() string {
	switch {
	case e.Line > 0:
		return fmt.Sprintf("%s:%d:%d: ", e.File, e.Line, e.Column)
	case e.File != "":
		return e.File + ": "
	}
	return ""
}

// markIndent returns the text before the mark: spaces, and tabs where text has them, so
// that the mark is below its column whatever the width of a tab.
func markIndent(text string, column int) string {
	var s strings.Builder
	for _, r := range text {
		if column--; column < 1 {
			break
		}
		if r != '\t' {
			r = ' '
		}
		s.WriteRune(r)
	}
	return s.String()
}
