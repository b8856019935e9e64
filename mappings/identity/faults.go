package identity

import (
	"math/bits"

	"flytt/pipeline"
)

// Faults is a set of errors, warnings and repairs of a number. The empty set means that
// the number is right as it is.
type Faults uint32

// What can be said of a number. Unless it says otherwise, each is an error.
const (
	PersonnummerShape Faults = 1 << iota // not in a form a personnummer is written in
	OrgNoShape                           // not in a form an organisationsnummer is written in
	ExcelNumber                          // a number a spreadsheet has rounded or reformatted: 1.98501E+11
	CheckDigit                           // the last digit does not follow from the others
	ImpossibleDate                       // no such day in the calendar
	BirthNumber                          // birth number 000
	FutureDate                           // the day of birth has not come yet
	InterimNumber                        // a letter after the date, which Rules do not allow
	CenturyAmbiguous                     // ten digits, and Rules do not allow the century to be inferred
	ThirdDigit                           // third digit of an organisationsnummer below 2, and it is not a personnummer either
	OrgNumber                            // an organisationsnummer where a personnummer is wanted

	CoordinationDate // warning: a samordningsnummer whose date is not in the calendar
	Personnummer     // warning: a personnummer where an organisationsnummer is wanted, as sole traders have

	CenturyInferred // repair: ten digits became twelve
	Prefix16        // repair: 16 before an organisationsnummer was removed
	VATNumber       // repair: SE…01 was reduced to the ten digits
	LeadingZero     // repair: nine digits got back the zero that a spreadsheet dropped; the check digit proves it
)

const (
	// Shape is either shape fault.
	Shape = PersonnummerShape | OrgNoShape

	warnings = CoordinationDate | Personnummer
	repairs  = CenturyInferred | Prefix16 | VATNumber | LeadingZero
)

// Has reports whether f has any of the faults x.
func (f Faults) Has(x Faults) bool { return f&x != 0 }

// Errors returns f without warnings and repairs.
func (f Faults) Errors() Faults { return f &^ (warnings | repairs) }

// Warnings returns the warnings of f.
func (f Faults) Warnings() Faults { return f & warnings }

// Repairs returns the repairs of f.
func (f Faults) Repairs() Faults { return f & repairs }

// Codes returns the codes of f, errors first, then warnings, then repairs. It
// allocates, unless f is empty.
func (f Faults) Codes() []pipeline.Code {
	if f == 0 {
		return nil
	}
	codes := make([]pipeline.Code, 0, bits.OnesCount32(uint32(f)))
	for i := range Codes {
		if f&(1<<i) != 0 {
			codes = append(codes, Codes[i].Code)
		}
	}
	return codes
}

// Codes documents what the faults are called, in the order of their bits.
var Codes = []pipeline.CodeInfo{
	{Code: "personnummer_shape", Stage: pipeline.Validate, Meaning: "not in the form of a personnummer",
		Fix: "Write YYYYMMDD-NNNN, twelve digits with or without the hyphen; with the conversion personnummer also YYMMDD-NNNN."},
	{Code: "org_no_shape", Stage: pipeline.Validate, Meaning: "not in the form of an organisationsnummer",
		Fix: "Write NNNNNN-NNNN, ten digits with or without the hyphen."},
	{Code: "excel_number", Stage: pipeline.Validate, Meaning: "a number whose digits a spreadsheet has changed",
		Fix: "Format the column as text in the spreadsheet, enter the numbers anew from their source and export again."},
	{Code: "check_digit", Stage: pipeline.Validate, Meaning: "wrong check digit",
		Fix: "Look for a mistyped or swapped digit and compare with the source."},
	{Code: "impossible_date", Stage: pipeline.Validate, Meaning: "a date that is not in the calendar",
		Fix: "Correct the year, month or day the number starts with."},
	{Code: "birth_number", Stage: pipeline.Validate, Meaning: "birth number 000",
		Fix: "Replace the made-up number with the real one; birth numbers run from 001 to 999."},
	{Code: "future_date", Stage: pipeline.Validate, Meaning: "a date of birth in the future",
		Fix: "Correct the year, usually the century."},
	{Code: "interim_number", Stage: pipeline.Validate, Meaning: "an interim number, with a letter after the date",
		Fix: "Replace it with the personnummer or samordningsnummer, or allow interim numbers."},
	{Code: "century_ambiguous", Stage: pipeline.Map, Meaning: "ten digits, which do not tell the century",
		Fix: "Write the year with four digits, or choose a rule for the century."},
	{Code: "third_digit", Stage: pipeline.Validate, Meaning: "third digit below 2, and not a personnummer either",
		Fix: "Correct the number: the third digit of an organisationsnummer is 2 to 9."},
	{Code: "org_no_as_ssn", Stage: pipeline.Validate, Meaning: "an organisationsnummer where a personnummer belongs",
		Fix: "Move the number to the field for the organisationsnummer."},
	{Code: "coordination_date", Stage: pipeline.Validate, Severity: pipeline.Warning, Meaning: "a samordningsnummer with a date that is not in the calendar",
		Fix: "Nothing needs to be done if the number was issued like that; compare with the source."},
	{Code: "personnummer_as_org_no", Stage: pipeline.Validate, Severity: pipeline.Warning, Meaning: "a personnummer where an organisationsnummer belongs",
		Fix: "Nothing needs to be done for a sole trader; otherwise move the number to the field for the personnummer."},
	{Code: "century_inferred", Stage: pipeline.Map, Severity: pipeline.Repair, Meaning: "ten digits were made twelve by the rule for the century",
		Fix: "Look a few of these rows over; write the year with four digits where the rule is wrong."},
	{Code: "prefix_16", Stage: pipeline.Map, Severity: pipeline.Repair, Meaning: "16 before an organisationsnummer was taken off",
		Fix: "Nothing needs to be done."},
	{Code: "vat_number", Stage: pipeline.Map, Severity: pipeline.Repair, Meaning: "a VAT number was reduced to its organisationsnummer",
		Fix: "Nothing needs to be done."},
	{Code: "leading_zero", Stage: pipeline.Map, Severity: pipeline.Repair, Meaning: "nine digits got back their leading zero, which the check digit confirms",
		Fix: "Format the column as text in the spreadsheet, so that zeros stay."},
}
