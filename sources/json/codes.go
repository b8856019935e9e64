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
var Codes = []pipeline.CodeInfo{
	{Code: badJSON, Stage: pipeline.Read, Severity: pipeline.Error},
	{Code: duplicateName, Stage: pipeline.Read, Severity: pipeline.Error},
	{Code: notObject, Stage: pipeline.Read, Severity: pipeline.Error},
	{Code: deepJSON, Stage: pipeline.Read, Severity: pipeline.Error},
	{Code: longObject, Stage: pipeline.Read, Severity: pipeline.Error},
	{Code: unknownMember, Stage: pipeline.Read, Severity: pipeline.Warning},
}
