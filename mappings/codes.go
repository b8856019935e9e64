package mappings

import (
	"flytt/mappings/identity"
	"flytt/pipeline"
)

// The codes of the validation rules; those of identity numbers are in package
// identity, those of the mapping beside it.
const (
	codeRequired   pipeline.Code = "required"
	codeTooShort   pipeline.Code = "too_short"
	codeTooLong    pipeline.Code = "too_long"
	codeUUID       pipeline.Code = "uuid"
	codeDate       pipeline.Code = "date"
	codeDateTime   pipeline.Code = "date_time"
	codeInteger    pipeline.Code = "integer"
	codeNumber     pipeline.Code = "number"
	codeBoolean    pipeline.Code = "boolean"
	codeJSON       pipeline.Code = "json"
	codeReferences pipeline.Code = "references"
	codeEmail      pipeline.Code = "email"
	codeGLN13      pipeline.Code = "gln13"
	codeLuhn       pipeline.Code = "luhn"
	codePhone      pipeline.Code = "phone"
	codePattern    pipeline.Code = "pattern"
	codeEnum       pipeline.Code = "enum"
	codeTooSmall   pipeline.Code = "too_small"
	codeTooLarge   pipeline.Code = "too_large"
	codeTogether   pipeline.Code = "together"
	codeAnyOf      pipeline.Code = "any_of"
	codeExcludes   pipeline.Code = "excludes"
	codeRequires   pipeline.Code = "requires"
	codeHasID      pipeline.Code = "has_id"
)

// Codes documents every code that validation notes, those of identity numbers
// among them.
var Codes = append([]pipeline.CodeInfo{
	{Code: codeRequired, Stage: pipeline.Validate},
	{Code: codeTooShort, Stage: pipeline.Validate},
	{Code: codeTooLong, Stage: pipeline.Validate},
	{Code: codeUUID, Stage: pipeline.Validate},
	{Code: codeDate, Stage: pipeline.Validate},
	{Code: codeDateTime, Stage: pipeline.Validate},
	{Code: codeInteger, Stage: pipeline.Validate},
	{Code: codeNumber, Stage: pipeline.Validate},
	{Code: codeBoolean, Stage: pipeline.Validate},
	{Code: codeJSON, Stage: pipeline.Validate},
	{Code: codeReferences, Stage: pipeline.Validate},
	{Code: codeEmail, Stage: pipeline.Validate},
	{Code: codeGLN13, Stage: pipeline.Validate},
	{Code: codeLuhn, Stage: pipeline.Validate},
	{Code: codePhone, Stage: pipeline.Validate},
	{Code: codePattern, Stage: pipeline.Validate},
	{Code: codeEnum, Stage: pipeline.Validate},
	{Code: codeTooSmall, Stage: pipeline.Validate},
	{Code: codeTooLarge, Stage: pipeline.Validate},
	{Code: codeTogether, Stage: pipeline.Validate},
	{Code: codeAnyOf, Stage: pipeline.Validate},
	{Code: codeExcludes, Stage: pipeline.Validate},
	{Code: codeRequires, Stage: pipeline.Validate},
	{Code: codeHasID, Stage: pipeline.Validate},
}, identity.Codes...)

// ownSeverity returns what a code of validation is unless the mapping says
// otherwise.
func ownSeverity(code pipeline.Code) pipeline.Severity {
	for i := range Codes {
		if Codes[i].Code == code {
			return Codes[i].Severity
		}
	}
	return pipeline.Error
}
