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
	{Code: "personnummer_shape", Stage: pipeline.Validate},
	{Code: "org_no_shape", Stage: pipeline.Validate},
	{Code: "excel_number", Stage: pipeline.Validate},
	{Code: "check_digit", Stage: pipeline.Validate},
	{Code: "impossible_date", Stage: pipeline.Validate},
	{Code: "birth_number", Stage: pipeline.Validate},
	{Code: "future_date", Stage: pipeline.Validate},
	{Code: "interim_number", Stage: pipeline.Validate},
	{Code: "century_ambiguous", Stage: pipeline.Map},
	{Code: "third_digit", Stage: pipeline.Validate},
	{Code: "org_no_as_ssn", Stage: pipeline.Validate},
	{Code: "coordination_date", Stage: pipeline.Validate, Severity: pipeline.Warning},
	{Code: "personnummer_as_org_no", Stage: pipeline.Validate, Severity: pipeline.Warning},
	{Code: "century_inferred", Stage: pipeline.Map, Severity: pipeline.Repair},
	{Code: "prefix_16", Stage: pipeline.Map, Severity: pipeline.Repair},
	{Code: "vat_number", Stage: pipeline.Map, Severity: pipeline.Repair},
	{Code: "leading_zero", Stage: pipeline.Map, Severity: pipeline.Repair},
}
