package mappings

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Nearest returns the name in of that name is most likely a slip of, or "" if
// none is near: at most a third of the characters may differ, at least one. It
// counts inserted, dropped, changed and swapped characters (the optimal string
// alignment distance), letter case aside. Of equals the first wins.
func Nearest(name string, of []string) string {
	want := foldName(name)
	best, bestDistance := "", max(1, len(want)/3)+1
	for _, candidate := range of {
		if d := alignment(want, foldName(candidate)); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// nearestHint returns a hint that names the nearest of of, or all of them if
// none is near and they are few, or nothing.
func nearestHint(name string, of []string) string {
	if near := Nearest(name, of); near != "" {
		return "did you mean " + near + "?"
	}
	if len(of) > 0 && len(of) <= 12 {
		return "known are " + strings.Join(of, ", ")
	}
	return ""
}

func foldName(name string) []rune {
	return []rune(cases.Fold().String(norm.NFC.String(strings.TrimSpace(name))))
}

// alignment returns the optimal string alignment distance of a and b. It keeps
// three rows of the usual table.
func alignment(a, b []rune) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// characters counts the characters of s, for columns in messages.
func characters(s string) int { return utf8.RuneCountInString(s) }
