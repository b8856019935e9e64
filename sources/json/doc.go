// Package json reads rows that are JSON objects, one on each line (JSON Lines) or the
// elements of an array; the first character tells which.
//
//   - Members are columns, those of nested objects by their dotted path
//     (external_client.id), in the order in which the first MiB of the file has them.
//     A member that no object had there has no column: it is left out, with a warning.
//   - A string is its characters; a number, true and false stay as they are written,
//     however large or precise; arrays, and objects that have a column of their own,
//     are JSON without white space. Null and missing members are nulls; so is an
//     object without members if its members would be columns. "" is empty, not null.
//   - A row that checker does not accept is rejected, and its text kept as a surplus
//     cell. In JSON Lines the row ends with the line, whatever is wrong; in an array,
//     brackets and quotes must still show where it ends.
//   - A row has the number of the line on which it starts, or one more than the row
//     before if they share a line: in an array on a single line, the objects count
//     from 1.
//
// [Open] looks at a sample, cuts with a [Rows] and decodes with its decoders, as a
// pipeline.Source does. [ObjectDecoder] alone decodes objects that are known to be valid,
// with a [Layout] of the caller's: lists of the API are read that way.
//
// To read the code, start with rows.go. survey.go finds the columns, cut.go cuts blocks
// of whole rows and decode.go decodes them: it checks each row (check.go) before it
// looks for values in it (object.go, text.go).
package json
