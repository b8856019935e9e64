package xlsx

import (
	"errors"
	"fmt"
)

// Error is a workbook that cannot be read. It holds no value of a cell.
type Error struct {
	Part string // of the archive; empty: the file as a whole
	Row  int64  // of the sheet: the last one known to be whole; 0: none, or no sheet
	Err  error
	Hint string // what to do about it; may be empty
}

// Error returns "xl/workbook.xml: what is wrong".
func (e *Error) Error() string {
	if e.Part == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("%s: %v", e.Part, e.Err)
}

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// What can be wrong with a part of a workbook.
var (
	ErrChecksum      = errors.New("its content does not match its checksum")
	ErrCutShort      = errors.New("it ends too early")
	ErrTooLarge      = errors.New("it is larger than a workbook needs")
	ErrBomb          = errors.New("it unpacks to more than 300 times its size")
	ErrMalformed     = errors.New("it is not well-formed XML")
	ErrMissing       = errors.New("it is missing")
	ErrDuplicatePart = errors.New("it appears twice")
	ErrEncoding      = errors.New("it is in an encoding that XML of workbooks does not have")
)

const (
	hintDamaged = "copy the file again, or open it in Excel and save it under a new name"
	hintSaveAs  = "open it in Excel or LibreOffice and save it as an Excel workbook (.xlsx)"
)

// damaged returns an error of a part that is not as it was written.
func damaged(part string, err error) *Error {
	return &Error{Part: part, Err: err, Hint: hintDamaged}
}
