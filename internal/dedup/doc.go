// Package dedup finds the rows of an input that are alike in something, however
// many rows there are, in bounded memory: what is to be compared goes, as keyed
// digests, through a Sorter, which spills what it cannot hold to files, and comes
// out with equals side by side. Find makes of that a table of the rows that are
// not alone, to be asked by row; NewIndex makes a file to look digests up in.
package dedup
