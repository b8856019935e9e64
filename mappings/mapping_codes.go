package mappings

import (
	"maps"
	"slices"

	"flytt/pipeline"
)

// The codes that only the map step notes. Beside them it notes date, phone, and
// those of package identity.
const (
	codeLookup     pipeline.Code = "lookup_missing"
	codeValueTable pipeline.Code = "value_table"
	codeNoMatch    pipeline.Code = "no_match"
	codeExpr       pipeline.Code = "expr_error"

	codeCentury pipeline.Code = "century_inferred" // of package identity, and of dates with YY
)

// MapCodes documents the codes that only the map step notes.
var MapCodes = pipeline.ErrorCodes(pipeline.Map, codeLookup, codeValueTable, codeNoMatch, codeExpr)

// severityCodes returns the codes whose severity a mapping may choose, sorted:
// the errors and warnings, as a repair is no fault.
func severityCodes() []string {
	names := map[string]bool{}
	for _, infos := range [][]pipeline.CodeInfo{Codes, MapCodes} {
		for i := range infos {
			if infos[i].Severity != pipeline.Repair {
				names[string(infos[i].Code)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}
