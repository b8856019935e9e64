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
	{Code: codeRequired, Stage: pipeline.Validate, Meaning: "a required field without a value",
		Fix: "Fill the cell in, or give the field a default in the mapping."},
	{Code: codeTooShort, Stage: pipeline.Validate, Meaning: "fewer characters than the field takes",
		Fix: "Complete the value; the field's shortest length is in its description."},
	{Code: codeTooLong, Stage: pipeline.Validate, Meaning: "more characters than the field holds",
		Fix: "Shorten the value, or map the column to a field that holds more."},
	{Code: codeUUID, Stage: pipeline.Validate, Meaning: "not a uuid",
		Fix: "Give the record's id in the API, 32 hexadecimal digits with hyphens; a lookup in the mapping turns a number of your own into it."},
	{Code: codeDate, Stage: pipeline.Validate, Meaning: "not a date",
		Fix: "Write YYYY-MM-DD, or convert with date in the mapping."},
	{Code: codeDateTime, Stage: pipeline.Validate, Meaning: "not a point in time",
		Fix: "Write it as RFC 3339 does, with date, time and offset: 2006-01-02T15:04:05Z."},
	{Code: codeInteger, Stage: pipeline.Validate, Meaning: "not an integer",
		Fix: "Write digits only, perhaps with a minus sign: no spaces, no decimals, no leading zero."},
	{Code: codeNumber, Stage: pipeline.Validate, Meaning: "not a number",
		Fix: "Write digits with a decimal point, no comma and no spaces."},
	{Code: codeBoolean, Stage: pipeline.Validate, Meaning: "neither true nor false",
		Fix: "Write true or false, or convert with replace in the mapping."},
	{Code: codeJSON, Stage: pipeline.Validate, Meaning: "not a JSON value",
		Fix: "Write the value as JSON, text in quotes."},
	{Code: codeReferences, Stage: pipeline.Validate, Meaning: "not a list of references",
		Fix: `Write a JSON array of ids: [{"id": "…"}], each a uuid.`},
	{Code: codeEmail, Stage: pipeline.Validate, Meaning: "not an email address",
		Fix: "Correct the address: one at sign, no spaces, a domain with a dot."},
	{Code: codeGLN13, Stage: pipeline.Validate, Meaning: "not a global location number",
		Fix: "Give all 13 digits; the last is a check digit."},
	{Code: codeLuhn, Stage: pipeline.Validate, Meaning: "not a number with a Luhn check digit",
		Fix: "Look for a mistyped or swapped digit and compare with the source."},
	{Code: codePhone, Stage: pipeline.Validate, Meaning: "not a phone number",
		Fix: "Correct the number; one from abroad starts with + and the country code."},
	{Code: codePattern, Stage: pipeline.Validate, Meaning: "not in the form the field wants",
		Fix: "Bring the value into the form of the field's pattern; a conversion in the mapping may do it."},
	{Code: codeEnum, Stage: pipeline.Validate, Meaning: "none of the values the field takes",
		Fix: "Use one of the field's values as it is written there, or convert with replace in the mapping."},
	{Code: codeTooSmall, Stage: pipeline.Validate, Meaning: "below the least number the field takes",
		Fix: "Correct the number."},
	{Code: codeTooLarge, Stage: pipeline.Validate, Meaning: "above the greatest number the field takes",
		Fix: "Correct the number."},
	{Code: codeTogether, Stage: pipeline.Validate, Meaning: "given without a field that goes with it",
		Fix: "Fill both fields in, or neither."},
	{Code: codeAnyOf, Stage: pipeline.Validate, Meaning: "none of the fields of which at least one is needed",
		Fix: "Fill one of the fields in."},
	{Code: codeExcludes, Stage: pipeline.Validate, Meaning: "given along with a field that excludes it",
		Fix: "Leave one of the two fields empty."},
	{Code: codeRequires, Stage: pipeline.Validate, Meaning: "given without a field that it needs",
		Fix: "Fill the other field in, or leave this one empty."},
	{Code: codeHasID, Stage: pipeline.Validate, Meaning: "an id, in a run that makes every row a new record",
		Fix: "Empty the id to make the row a new record, or import without --mode create to change the record that has it."},
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
