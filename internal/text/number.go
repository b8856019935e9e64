// Package text turns numbers, names, tables and codes into text for people.
package text

import (
	"fmt"
	"strconv"
)

// Number returns n with its digits in groups of three, with commas between them:
// 1,234,567.
func Number(n int64) string {
	s := strconv.FormatInt(n, 10)
	if n < 0 {
		return s
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Counted returns n of what, in the plural unless there is one: 1 record, 2 records.
func Counted[N int | int64](n N, what string) string {
	return Number(int64(n)) + " " + Plural(n, what, what+"s")
}

// Plural returns one if n is 1, and many otherwise.
func Plural[N int | int64](n N, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Size returns n bytes for people: 162.1 MB.
func Size(n int64) string {
	units := []string{"bytes", "kB", "MB", "GB", "TB"}
	size, unit := float64(n), 0
	for size >= 1000 && unit < len(units)-1 {
		size /= 1000
		unit++
	}
	if unit == 0 {
		return strconv.FormatInt(n, 10) + " bytes"
	}
	return fmt.Sprintf("%.1f %s", size, units[unit])
}
