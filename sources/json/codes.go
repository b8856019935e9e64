package json

import (
	"flytt/pipeline"
)

// The codes of JSON.
const (
	badJSON       pipeline.Code = "bad_json"
	duplicateName pipeline.Code = "duplicate_name"
	notObject     pipeline.Code = "not_object"
	deepJSON      pipeline.Code = "deep_json"
	longObject    pipeline.Code = "long_object"
	unknownMember pipeline.Code = "unknown_member"
)

// Codes documents the codes that only JSON notes.
var Codes = append(pipeline.ErrorCodes(pipeline.Read, badJSON, duplicateName, notObject, deepJSON, longObject),
	pipeline.CodeInfo{Code: unknownMember, Stage: pipeline.Read, Severity: pipeline.Warning})
