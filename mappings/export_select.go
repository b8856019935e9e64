package mappings

import (
	"errors"
	"slices"
	"strings"

	"flytt/internal/text"
)

// ColumnSelection says which columns an export without a mapping has. The zero value
// selects all of them.
type ColumnSelection struct {
	with    []string // these, in this order; empty: all
	without []string // and not these
}

// ParseColumnSelection parses a list of fields, such as name,external_client,-ssn: the
// columns of the export in their order, and after a minus sign those to be left out. A
// list that only leaves out fields selects all others. Empty text is the zero
// ColumnSelection.
func ParseColumnSelection(text string) (ColumnSelection, error) {
	var s ColumnSelection
	if strings.TrimSpace(text) == "" {
		return s, nil
	}
	for term := range strings.SplitSeq(text, ",") {
		name, minus := strings.CutPrefix(strings.TrimSpace(term), "-")
		name = strings.TrimSpace(name)
		switch {
		case name == "":
			return ColumnSelection{}, withHint("select: a name is missing", "write name,title or -ssn,-email")
		case minus:
			s.without = append(s.without, name)
		default:
			s.with = append(s.with, name)
		}
	}
	return s, nil
}

// ExportPlan returns the plan of an export without a mapping: the columns that sel
// selects from a list of the resource r with the given columns, unchanged. The column
// for unknown members stays at the end, whatever sel selects. It is an error if sel
// names a field that does not exist, names one twice, or leaves none.
func ExportPlan(r *Resource, columns []string, sel ColumnSelection) (*Plan, error) {
	p := newExportPlan(r, columns)
	chosen, err := sel.choose(p.names)
	if err != nil {
		return nil, err
	}
	for _, at := range chosen {
		p.addColumn(r, columns[at], at)
	}
	p.addExtraColumn(r)
	return p, nil
}

// choose returns the selected columns, without the one for unknown members.
func (s *ColumnSelection) choose(names *headers) ([]int, error) {
	with, err := s.find(names, s.with)
	if err != nil {
		return nil, err
	}
	without, err := s.find(names, s.without)
	if err != nil {
		return nil, err
	}
	if s.with == nil {
		for at, name := range names.names {
			if name != extraColumn {
				with = append(with, at)
			}
		}
	}
	with = slices.DeleteFunc(with, func(at int) bool { return slices.Contains(without, at) })
	if len(with) == 0 {
		return nil, errors.New("select: no field is left")
	}
	return with, nil
}

// find returns the columns of the fields called fields.
func (s *ColumnSelection) find(names *headers, fields []string) ([]int, error) {
	var found []int
	for _, name := range fields {
		at, ok := names.find(name)
		switch {
		case !ok || names.names[at] == extraColumn:
			return nil, withHint("select: unknown field "+name, fieldHint(name, names.names))
		case slices.Contains(found, at):
			return nil, errors.New("select: field " + names.names[at] + " appears twice")
		}
		found = append(found, at)
	}
	return found, nil
}

// fieldHint names the field nearest to name or, if none is near, all of them:
// there is no other place to look a name of an export up.
func fieldHint(name string, fields []string) string {
	fields = slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return f == extraColumn })
	return text.DidYouMean(name, fields, "fields: "+strings.Join(fields, ", "))
}
