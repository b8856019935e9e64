package text

import (
	"math"
	"slices"
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

// Suggest returns the name in of that was most likely meant by name, or "". Of a name
// that begins with name and continues with another word (phone: phone_number), the nearest
// one, one that has name as a word, begins with it or has it anywhere, the first there is
// counts, and the shortest of its kind.
func Suggest(name string, of []string) string {
	part, nearest := Fold(name), Nearest(name, of)
	best, bestRank := nearest, nearestRank
	if best == "" {
		bestRank = math.MaxInt
	}
	for _, candidate := range of {
		if rank := partRank(part, Fold(candidate)); rank < bestRank {
			best, bestRank = candidate, rank
		}
	}
	return best
}

// The ranks of suggestions, to which the length of a name is added.
const (
	firstWordRank = iota << 16
	nearestRank
	wordRank
	startRank
	withinRank
)

// partRank ranks name by how well it is meant by part, 0 the best.
func partRank(part, name string) int {
	length := utf8.RuneCountInString(part)
	rest, begins := strings.CutPrefix(name, part)
	switch {
	case length < 3:
		return math.MaxInt
	case begins && strings.IndexFunc(rest, isSeparator) == 0:
		return firstWordRank + len(name)
	case slices.Contains(strings.FieldsFunc(name, isSeparator), part):
		return wordRank + len(name)
	case begins:
		return startRank + len(name)
	case length > 3 && strings.Contains(name, part):
		return withinRank + len(name)
	}
	return math.MaxInt
}

// isSeparator reports whether r stands between the words of a name.
func isSeparator(r rune) bool { return strings.ContainsRune("_-. /", r) }

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
func OneOf(names []string) string { return listed(names, " or ") }

// AllOf lists names: a, b and c.
func AllOf(names []string) string { return listed(names, " and ") }

func listed(names []string, beforeLast string) string {
	if last := len(names) - 1; last > 0 {
		return strings.Join(names[:last], ", ") + beforeLast + names[last]
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
