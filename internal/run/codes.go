package run

import (
	"slices"

	"flytt/internal/dedup"
	"flytt/internal/record"
	"flytt/internal/runs"
	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sinks"
	"flytt/sinks/bulk"
	"flytt/sources"
)

// Codes returns every code that a row can have, in the order of the stages, and then those of
// single records.
func Codes() []pipeline.CodeInfo {
	return slices.Concat(sources.Codes, mappings.MapCodes, mappings.Codes, sinks.Codes, bulk.Codes, runs.RetryCodes, dedup.Codes, record.Codes)
}
