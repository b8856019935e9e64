package sources

import "slices"

// Formats returns the names of the formats that can be read, in alphabetical
// order.
func Formats() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return slices.Sorted(slices.Values(names))
}
