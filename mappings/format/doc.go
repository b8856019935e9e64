// Package format says whether a value is written as a format wants it: email,
// uuid, date, date-time, gln13, numbers, a length, a pattern; and brings phone
// numbers to the form the API takes.
//
// Every check takes a value as it will be sent, changes nothing and keeps
// nothing. The checks do not allocate, but for an email address with a domain
// outside ASCII, a [Pattern] too large for a table, and a phone number in an
// unusual form. An empty value has no format: every check fails it, but for
// [Length], and for a [Pattern] that matches the empty text.
package format
