package xlsx

import (
	"strconv"
	"strings"
)

// The size of a sheet.
const (
	MaxRows    = 1 << 20
	MaxColumns = 1 << 14
)

// ColumnName returns the name of the column with the given number from 0: A, Z,
// AA, XFD.
func ColumnName(column int) string {
	var b []byte
	for n := column + 1; n > 0; n = (n - 1) / 26 {
		b = append([]byte{byte('A' + (n-1)%26)}, b...)
	}
	return string(b)
}

// CellName returns Excel's name of a cell: Kontakter!F17. With a negative column it
// names the row, Kontakter!17, and with row 0 the column, Kontakter!F.
func CellName(sheet string, row int64, column int) string {
	at := quoteSheet(sheet) + "!"
	if column >= 0 {
		at += ColumnName(column)
	}
	if row > 0 {
		at += strconv.FormatInt(row, 10)
	}
	return strings.TrimSuffix(at, "!")
}

// quoteSheet puts a name in apostrophes if formulas require them: if it has other
// characters than letters, digits, _ and ., starts with a digit, or could be a cell
// (A1, R1C1).
func quoteSheet(name string) string {
	plain := name != "" && (name[0] < '0' || name[0] > '9') && name[0] != '.' && !isCell(name)
	for _, r := range name {
		if r < 0x80 && r != '_' && r != '.' && !isDigit(r) && !isLetter(r) {
			plain = false
		}
	}
	if plain {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", "''") + "'"
}

func isDigit(r rune) bool  { return r >= '0' && r <= '9' }
func isLetter(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' }

// isCell reports whether name reads as a cell, a row or a column.
func isCell(name string) bool {
	rest := strings.TrimLeftFunc(name, isLetter)
	letters := len(name) - len(rest)
	if letters > 0 && letters <= 3 && rest != "" && strings.TrimLeftFunc(rest, isDigit) == "" {
		return true
	}
	rc := strings.ToUpper(name)
	rc = strings.TrimLeftFunc(strings.TrimPrefix(rc, "R"), isDigit)
	rc = strings.TrimLeftFunc(strings.TrimPrefix(rc, "C"), isDigit)
	return rc == ""
}

// position parses a reference such as F17. The column counts from 0.
func position(ref []byte) (column int, row int64, ok bool) {
	i := 0
	for ; i < len(ref) && i < 4; i++ {
		c := ref[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			break
		}
		column = column*26 + int(c-'A') + 1
	}
	if i == 0 || i == len(ref) || column > MaxColumns {
		return 0, 0, false
	}
	row, ok = digits(ref[i:])
	return column - 1, row, ok
}

// digits reads a whole number of at most nine digits.
func digits(s []byte) (int64, bool) {
	if len(s) == 0 || len(s) > 9 {
		return 0, false
	}
	n := int64(0)
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
