// Package jsonscan walks JSON that is known to be valid, because jsontext has
// read it before: names and values are found as slices of it, without copying
// and without checking anything again. Of anything else than valid JSON nothing
// is promised, except that no memory outside of it is touched: the functions
// may panic.
package jsonscan
