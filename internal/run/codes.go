package run

import (
	"slices"

	"flytt/internal/dedup"
	"flytt/internal/runs"
	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sinks"
	"flytt/sinks/bulk"
	"flytt/sources"
)

// codeTables returns the tables of codes, in the order of the stages.
func codeTables() [][]pipeline.CodeInfo {
	return [][]pipeline.CodeInfo{sources.Codes, mappings.MapCodes, mappings.Codes, sinks.Codes, bulk.Codes, runs.RetryCodes, dedup.Codes}
}

// Codes returns every code that a row of a run can have, in the order of the stages.
func Codes() []pipeline.CodeInfo { return slices.Concat(codeTables()...) }
