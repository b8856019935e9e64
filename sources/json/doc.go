// Package json reads rows that are JSON objects, one on each line (JSON Lines) or the
// elements of an array; the first character tells which.
//
//   - Members are columns, those of objects within by their dotted path
//     (external_client.id), in the order in which the first MiB of the file has
//     them. A member that no object had there is unknown to the columns: its rows
//     go on without it, with a warning.
//   - A string is its characters; a number, true and false stay as they are
//     written, however large or precise; arrays, and objects where a column
//     stands for them whole, are JSON without white space. Null, and a member that
//     is not there, are nulls; an object without members is one as well where its
//     members would be columns. "" is empty, not null.
//   - A row that is not JSON as checker has it is rejected, and its text kept as
//     a cell beyond the last column. In JSON Lines that ends with the line,
//     whatever is wrong; in an array brackets and quotes must still tell where it
//     ends.
//   - A row is numbered by the line it starts on, or by one more than the row
//     before where they share a line: in an array on a single line the objects
//     count from 1.
//
// [Open] looks at a sample, cuts with a [Rows] and decodes with its decoders, as a
// pipeline.Source does. [ObjectDecoder] by itself decodes objects that are known to be
// valid, with a [Layout] of the caller's: lists of the API are read that way.
//
// To read the code, begin with rows.go. survey.go finds the columns, cut.go cuts blocks
// of whole rows and decode.go decodes them: it checks each row (check.go) before it
// looks for values in it (object.go, text.go).
package json
