// Package xlsx reads workbooks (Office Open XML, as Excel, LibreOffice, Google
// Sheets and Apple Numbers write it) row by row, in bounded memory. It trusts
// nothing in them: sizes, counts and positions are those that it finds, not those
// that the file claims; every part that is used is read to its end and its checksum
// compared; a sheet that ends early is an error, never fewer rows.
//
// A sheet is read in two steps, so that the second can run on every core. A
// Sheet cuts its XML into blocks of whole rows; a Scanner, one for each
// goroutine, walks the rows and cells of a block.
//
// # What a cell says
//
// Cells become text by these rules:
//
//   - A number is the shortest decimal text that means the same number, without
//     an exponent: 1.98501022399E11 is 198501022399. Digits of whole numbers
//     stand as they are stored, however many. How the sheet shows a number
//     (decimals, thousands, per cent, leading zeros) does not matter, except:
//   - A number with a date format is a date, 2006-01-02, or with a time of day
//     2006-01-02T15:04:05 (and .123 where there are milliseconds). Below one day
//     it is a time, 15:04:05; with a format of elapsed time ([h]:mm) it is hours,
//     minutes and seconds, 27:30:00. Workbooks that count from 1904 do so. The 29
//     February 1900 of Excel is no date.
//   - A truth value is true or false.
//   - A text is its characters: the runs of rich text joined, phonetic guides left
//     out, escapes such as _x000D_ resolved, white space as stored.
//   - A formula is the value it had when the workbook was saved; without one the
//     cell has a Fault.
//   - #N/A, which says that there is no value, is none, with a Fault that is no
//     error. Any other error value is one.
//
// Merged cells have their value in the top left cell, as they are stored; the
// others are empty. Hidden rows are marked, hidden columns read. Macros, charts,
// pictures, and what the sheet says of its own size, are ignored.
package xlsx
