// Package dedup finds duplicate rows of an input, however many rows there are, in
// bounded memory. The texts that are compared become keyed digests. A Sorter, which
// spills to files what it cannot hold in memory, puts equal digests side by side.
// From these, Find makes a table of the rows that have a duplicate, which is queried
// by row; NewIndex makes a file in which digests can be looked up.
package dedup
