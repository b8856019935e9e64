package sources

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"flytt/internal/text"
	"flytt/sources/xlsx"
)

// maxDimensions is how many sheets are opened to see what they say of their
// size.
const maxDimensions = 100

// sheetInfos describes the sheets of book.
func sheetInfos(book *xlsx.Workbook) []SheetInfo {
	infos := make([]SheetInfo, len(book.Sheets))
	for i, s := range book.Sheets {
		infos[i] = SheetInfo{Name: s.Name, Hidden: s.Hidden, Rows: -1}
		if i < maxDimensions && s.HasCells() {
			infos[i].Rows = book.DeclaredRows(i)
		}
	}
	return infos
}

// chooseSheet returns the index of the sheet that was asked for: by its name,
// whatever its case, or by its number.
func chooseSheet(in *input, sheets []xlsx.Info, asked string) (int, error) {
	if asked == "" {
		return defaultSheet(in, sheets)
	}
	i := slices.IndexFunc(sheets, func(s xlsx.Info) bool { return s.Name == asked })
	if i < 0 {
		i = slices.IndexFunc(sheets, func(s xlsx.Info) bool { return strings.EqualFold(s.Name, asked) })
	}
	if n, err := strconv.Atoi(asked); i < 0 && err == nil {
		switch {
		case n > 0 && n <= len(sheets):
			i = n - 1
		case n < 0 && -n <= len(sheets):
			i = len(sheets) + n
		}
	}
	switch {
	case i < 0:
		return 0, in.usageError(fmt.Errorf("has no sheet %q; it has %s", asked, sheetNames(sheets)), suggestSheet(sheets, asked))
	case !sheets[i].HasCells():
		return 0, in.usageError(fmt.Errorf("sheet %q has no cells: it is a %s", sheets[i].Name, sheetKind(sheets[i])),
			"--sheet names another; there are "+sheetNames(sheets))
	}
	return i, nil
}

// defaultSheet returns the first sheet with cells that is not hidden, or else
// the first with cells.
func defaultSheet(in *input, sheets []xlsx.Info) (int, error) {
	i := slices.IndexFunc(sheets, func(s xlsx.Info) bool { return s.HasCells() && !s.Hidden })
	if i < 0 {
		i = slices.IndexFunc(sheets, func(s xlsx.Info) bool { return s.HasCells() })
	}
	if i < 0 {
		return 0, in.contentError(0, errors.New("has no sheet with cells: only "+sheetNames(sheets)), "name a workbook that has a table")
	}
	return i, nil
}

func sheetKind(s xlsx.Info) string {
	if s.Kind == "" {
		return "sheet that is missing"
	}
	return s.Kind
}

// sheetNames lists the sheets for people: with their numbers, the first fifty.
func sheetNames(sheets []xlsx.Info) string {
	var parts []string
	for i, s := range sheets {
		part := fmt.Sprintf("%d %q", i+1, s.Name)
		if !s.HasCells() {
			part += " (" + sheetKind(s) + ")"
		} else if s.Hidden {
			part += " (hidden)"
		}
		parts = append(parts, part)
	}
	if more := len(parts) - 50; more > 0 {
		parts = append(parts[:50], fmt.Sprintf("%d more", more))
	}
	return strings.Join(parts, ", ")
}

// suggestSheet returns the hint that names the sheet that asked most likely means.
func suggestSheet(sheets []xlsx.Info, asked string) string {
	var names []string
	for _, s := range sheets {
		if s.HasCells() {
			names = append(names, s.Name)
		}
	}
	if near := text.Suggest(asked, names); near != "" {
		return fmt.Sprintf("did you mean --sheet %q?", near)
	}
	return "--sheet takes a name, or a number from 1, from the end if negative"
}

// otherSheets warns of sheets that are not hidden and not read, where nobody
// said which to read.
func otherSheets(sheets []xlsx.Info, chosen int, asked string) []string {
	if asked != "" {
		return nil
	}
	if sheets[chosen].Hidden {
		return []string{fmt.Sprintf("sheet %q is read though it is hidden: all are", sheets[chosen].Name)}
	}
	others := 0
	for i, s := range sheets {
		if i != chosen && s.HasCells() && !s.Hidden {
			others++
		}
	}
	if others == 0 {
		return nil
	}
	return []string{fmt.Sprintf("sheet %q is read, %s not: --sheet names another", sheets[chosen].Name, count(others, "other"))}
}
