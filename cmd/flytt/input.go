package main

import (
	"cmp"
	"fmt"
	"strings"

	"flytt/internal/run"
	"flytt/sources"
)

// delimiterNames has the usual delimiters as a person calls them.
var delimiterNames = map[string]string{";": "semicolons", ",": "commas", "\t": "tabs", "|": "bars", "": "a single column"}

// describe says how an input is read.
func describe(i *sources.Info) string {
	parts := []string{formatName(i)}
	if i.Sheet != "" {
		parts = append(parts, "sheet "+i.Sheet)
	}
	if i.Encoding != "" {
		parts = append(parts, encodingOf(i))
	}
	if delimited(i) {
		parts = append(parts, cmp.Or(delimiterNames[i.Delimiter], "delimiter "+i.Delimiter))
	}
	if i.HeaderRow > 0 {
		parts = append(parts, "header on "+headerPlace(i))
	}
	return strings.Join(parts, ", ")
}

// formatName is the format as a person calls it, and how it is compressed.
func formatName(i *sources.Info) string {
	name := run.FormatName(i)
	if i.IsRejectsFile {
		name = "rejects file of flytt"
	}
	if i.Compression != "" {
		name += " in " + i.Compression
	}
	return name
}

func encodingOf(i *sources.Info) string {
	if i.Evidence == "" {
		return i.Encoding
	}
	return i.Encoding + " (" + i.Evidence + ")"
}

// delimited reports whether something stands between the cells of the input.
func delimited(i *sources.Info) bool { return i.Format == "csv" }

// headerPlace names the row that the header is on.
func headerPlace(i *sources.Info) string {
	if i.Sheet != "" {
		return fmt.Sprintf("row %d", i.HeaderRow)
	}
	return fmt.Sprintf("line %d", i.HeaderRow)
}
