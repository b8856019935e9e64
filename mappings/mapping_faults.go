package mappings

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/token"
)

// faults collects the faults of one mapping file.
type faults struct {
	file *yamlFile
	list []*FileError
}

// add records a fault at at. The hint may be empty.
func (f *faults) add(at *token.Token, hint, format string, args ...any) {
	e := f.file.fault(at, format, args...)
	e.Hint = hint
	f.list = append(f.list, e)
}

// addError records err unless it is nil.
func (f *faults) addError(err error) {
	var e *FileError
	switch {
	case err == nil:
		return
	case !errors.As(err, &e):
		e = f.file.fault(nil, "%v", err)
	}
	f.list = append(f.list, e)
}

// err returns all faults in the order of the file as one error, each on lines of its
// own; nil if there are none. Unwrap returns them one by one.
func (f *faults) err() error {
	slices.SortStableFunc(f.list, func(a, b *FileError) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	all := make([]error, len(f.list))
	for i, e := range f.list {
		all[i] = e
	}
	return errors.Join(all...)
}

// shift returns the position n characters after the start of the text at at. It returns
// at itself if the text is not written literally: over several lines, or with escapes.
func shift(at *token.Token, text string, n int) *token.Token {
	if at == nil || at.Position == nil || strings.Contains(text, "\n") {
		return at
	}
	switch origin := strings.TrimSpace(at.Origin); {
	case origin == text:
	case strings.Trim(origin, `"'`) == strings.Trim(text, `"'`) && len(origin) == len(text)+2:
		n++
	default:
		return at
	}
	moved, position := *at, *at.Position
	position.Column += n
	moved.Position = &position
	return &moved
}
