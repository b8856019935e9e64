// Package parquet reads Parquet files column by column, as text, in memory
// bounded by pages.
//
// Open reads the footer. Each Column is read forward, page by page, by whoever
// needs its rows first. It keeps the pages that may still be needed, so that
// goroutines working on neighbouring rows decode each page only once.
//
// A file may come from anywhere, so nothing in it is trusted: every size and
// count is compared with the bytes that are there, and with a budget, before
// memory is allocated for it. Footers, page headers and codecs are those of
// parquet-go and the libraries it uses; levels and values are decoded here,
// because decoders that take a count from the file and allocate for it would
// let a page of ten bytes ask for gigabytes.
//
// # Why not the reader of parquet-go
//
// It was measured (v0.32) with the 37 damaged files of the tests of package sources,
// each in a process of its own, and with sound files:
//
//	                            this package  parquet-go, pages  parquet-go, rows
//	damaged files refused                 37                 28                28
//	read as if they were sound             0                  8                 7
//	out of memory with 6 GB                0                  1                 1
//	no end                                 0                  0                 1
//	most memory asked for             50 MiB              4 GiB             4 GiB
//	600,000 rows of 11 columns, CPU   0.20 s             0.28 s            0.37 s
//	the same, resident                 53 MB              36 MB             40 MB
//
// The files that it reads as if they were sound have values of another type than the
// schema says, rows that the footer does not count, or data in another file: rows that
// do not exist would be imported. Its pages know nothing about the rows of other
// columns, lists or maps, so the code that assembles rows would be our own anyway.
// BenchmarkRead has the speed.
//
// # Values as text
//
//	string, enum, JSON      as it is; it must be UTF-8
//	bytes without a type    as it is where it is UTF-8, otherwise a fault
//	int, uint               decimal
//	decimal                 decimal, without zeros at the end of its fraction
//	float, double           the shortest decimal that reads back the same
//	boolean                 true, false
//	date                    2006-01-02
//	time                    15:04:05, with 3, 6 or 9 digits of fraction if it has one
//	timestamp               2006-01-02T15:04:05, fraction as time, with Z if it is in UTC
//	INT96                   as a timestamp without a zone
//	uuid                    as RFC 9562 writes it
//	list, map               JSON
//	within a group          a column of its own: address.city
//
// Bytes that are not UTF-8 and dates outside the years 1 to 9999 are faults of
// their row: they are shown in hexadecimal, and Segment.Faults lists them.
package parquet

import (
	"fmt"
)

// Error is a file that cannot be read. Its text holds no value of a row.
type Error struct {
	Group  int    // row group, from 1; 0: the file as a whole
	Column string // dotted path; empty: the file, or row group, as a whole
	Err    error  // what is wrong
	Hint   string // what to do about it
}

// Place returns where it is: "row group 3, column ssn", or nothing for the file
// as a whole.
func (e *Error) Place() string {
	switch {
	case e.Group > 0 && e.Column != "":
		return fmt.Sprintf("row group %d, column %s", e.Group, e.Column)
	case e.Group > 0:
		return fmt.Sprintf("row group %d", e.Group)
	case e.Column != "":
		return "column " + e.Column
	}
	return ""
}

// Error returns "row group 3, column ssn: what is wrong".
func (e *Error) Error() string {
	if p := e.Place(); p != "" {
		return p + ": " + e.Err.Error()
	}
	return e.Err.Error()
}

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

const (
	hintAgain   = "copy or export the file again"
	hintSmaller = "write it with smaller row groups, or pages, and try again"
	hintCSV     = "write the file again without encryption, or as CSV"
)

// corrupt returns an error of a file that is damaged.
func corrupt(format string, args ...any) error {
	return &Error{Err: fmt.Errorf(format, args...), Hint: hintAgain}
}
