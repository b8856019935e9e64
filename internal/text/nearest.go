package text

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// fewNames is how many names a hint lists at most.
const fewNames = 12

// Nearest returns the name in of that name is most likely a misspelling of, or ""
// if none is near: at most a third of the characters may differ, at least one. It
// counts inserted, dropped, changed and swapped characters (the optimal string
// alignment distance), letter case aside. Of equals the first wins.
func Nearest(name string, of []string) string {
	want := []rune(Fold(name))
	best, bestDistance := "", max(1, len(want)/3)+1
	for _, candidate := range of {
		if d := alignment(want, []rune(Fold(candidate))); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// Suggest returns the name in of that was most likely meant by name, or "": the
// nearest, else the shortest that has name as one of its words (phone:
// phone_number), else the shortest that begins with it.
func Suggest(name string, of []string) string {
	if near := Nearest(name, of); near != "" {
		return near
	}
	part := Fold(name)
	if utf8.RuneCountInString(part) < 3 {
		return ""
	}
	best, bestRank := "", 0
	for _, candidate := range of {
		if rank := partRank(part, Fold(candidate)); rank > 0 && (bestRank == 0 || rank < bestRank) {
			best, bestRank = candidate, rank
		}
	}
	return best
}

// partRank ranks name by how well it is meant by part, 1 the best; 0 is not at all.
func partRank(part, name string) int {
	const startOnly = 1 << 16 // behind each that has part as a whole word
	words := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("_-. /", r) })
	for _, word := range words {
		if word == part {
			return len(name)
		}
	}
	if strings.HasPrefix(name, part) {
		return startOnly + len(name)
	}
	return 0
}

// DidYouMean returns the hint that suggests one of of for name, or otherwise if
// none is near.
func DidYouMean(name string, of []string, otherwise string) string {
	if near := Suggest(name, of); near != "" {
		return "did you mean " + near + "?"
	}
	return otherwise
}

// Known returns the hint that suggests one of of for name, or lists all of them
// if none is near and they are few, or is empty.
func Known(name string, of []string) string {
	all := ""
	if len(of) > 0 && len(of) <= fewNames {
		all = "use " + OneOf(of)
	}
	return DidYouMean(name, of, all)
}

// OneOf lists names to choose from: a, b or c.
func OneOf(names []string) string {
	if last := len(names) - 1; last > 0 {
		return strings.Join(names[:last], ", ") + " or " + names[last]
	}
	return strings.Join(names, "")
}

// Fold returns name as it is compared: in one form of Unicode, without letter case and
// the white space around it.
func Fold(name string) string {
	return cases.Fold().String(norm.NFC.String(strings.TrimSpace(name)))
}

// alignment returns the optimal string alignment distance of a and b. It keeps
// three rows of the usual table. (agnivade/levenshtein counts two characters that
// are swapped, the most frequent misspelling, as two changes.)
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
