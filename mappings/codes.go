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
var Codes = append(pipeline.ErrorCodes(pipeline.Validate,
	codeRequired, codeTooShort, codeTooLong, codeUUID, codeDate, codeDateTime, codeInteger, codeNumber, codeBoolean,
	codeJSON, codeReferences, codeEmail, codeGLN13, codeLuhn, codePhone, codePattern, codeEnum, codeTooSmall, codeTooLarge,
	codeTogether, codeAnyOf, codeExcludes, codeRequires, codeHasID,
), identity.Codes...)

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
