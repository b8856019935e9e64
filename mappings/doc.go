// Package mappings knows what the API's resources look like and how the
// columns of an input become their fields.
//
// A [Resource] is read from a descriptor, a YAML file in the folder resources: its
// path, its fields with their rules, the operators of its list filters, and the
// headers under which old registers have each field. To add a resource, add a file.
// [ParseResource] checks it: unknown keys, rules about fields that do not exist and
// bounds that nothing could meet are errors that show the line.
//
// A [Mapping] says where each field comes from. [ParseMapping] reads it from a mapping
// file, [AutoMapping] guesses it from the headers. Compile binds it to a resource and
// to an input. The result is a [Plan], whose Step maps batches.
//
// An export works in the opposite direction: CompileExport binds a mapping whose
// fields are the columns of a file to the fields of a resource, and [ExportPlan] makes
// the plan of an export without a mapping.
//
// A [Validator] checks the mapped batches by the rules of the descriptor, one column
// after another, and notes every problem of a row under its code. The codes are
// documented in [Codes] and [MapCodes]. To add a rule for values, write its function
// and a line in the table of types or formats; to add a conversion, a line in the
// table of conversions.
//
// For people and editors there are [Describe], [DescribeCodes], [JSONSchema],
// [MappingJSONSchema] and [ExportMappingJSONSchema].
package mappings
