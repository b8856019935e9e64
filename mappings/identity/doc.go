// Package identity reads Swedish identity numbers: personnummer,
// samordningsnummer, interim numbers, organisationsnummer and VAT numbers.
//
// There are two ways in. [ParsePersonnummer] and [ParseOrganisationsnummer]
// read a number in any of the forms people write, and give it in the form the
// API stores; what they had to infer or strip is told as a repair.
// [CheckPersonnummer] and [CheckOrganisationsnummer] change nothing: they hold
// the stored forms against the same rules.
//
// All of them report every fault of a number, not the first, as a set
// ([Faults]); a value that has not even the shape of a number has that one
// fault only. None of them allocates, and none keeps the value it is given.
//
// # Where the rules come from
//
// A personnummer is the time of birth, a birth number of three digits and a
// check digit: section 18 of the population registration act
// (folkbokföringslag 1991:481), which also has the hyphen become a plus sign
// in the year a person turns 100. A samordningsnummer (lag 2022:1697) is made
// like one, with 60 added to the day. An organisationsnummer (lag 1974:174 om
// identitetsbeteckning för juridiska personer m.fl.) has ten digits, the third
// at least 2 so that it is not mistaken for a personnummer. A Swedish VAT number
// is SE, the organisationsnummer or personnummer, and 01. The check digit of
// all of them is Luhn's (ISO/IEC 7812-1 annex B) over the ten digits without a
// century.
package identity
