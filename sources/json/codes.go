package json

import (
	"fmt"

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
	{Code: badJSON, Stage: pipeline.Read, Severity: pipeline.Error,
		Meaning: "not valid JSON",
		Fix:     "Mend the object where the message says; NaN, Infinity, comments and commas at the end are not JSON."},
	{Code: duplicateName, Stage: pipeline.Read, Severity: pipeline.Error,
		Meaning: "two members of one object have the same name",
		Fix:     "Take one of them out: which of them counts is not defined."},
	{Code: notObject, Stage: pipeline.Read, Severity: pipeline.Error,
		Meaning: "a row that is JSON but no object",
		Fix:     `Write the row as an object with named members: {"name": "Anna"}.`},
	{Code: deepJSON, Stage: pipeline.Read, Severity: pipeline.Error,
		Meaning: fmt.Sprintf("objects and arrays more than %d deep within each other", maxDepth),
		Fix:     "Leave out what lies that deep, or write it as a string."},
	{Code: longObject, Stage: pipeline.Read, Severity: pipeline.Error,
		Meaning: "a line longer than 1 MiB, which is not kept here",
		Fix:     "Look the line up in the input; its members are to be fewer or shorter."},
	{Code: unknownMember, Stage: pipeline.Read, Severity: pipeline.Warning,
		Meaning: "members that no object has in the first MiB of the file, left out",
		Fix:     "If they are needed, move a row that has them to the beginning of the file."},
}
