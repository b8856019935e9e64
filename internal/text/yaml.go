package text

import (
	"regexp"
	"strings"
)

// yamlProblem is what the YAML library says, and what it means to who wrote the file.
type yamlProblem struct{ said, what, hint string }

const (
	hintSpaces  = "use spaces, not tabs"
	hintIndent  = "keys of one level begin in the same column"
	hintQuotes  = `put a text with characters such as : # [ ] { } @ in quotes: "…"`
	hintNoAlias = "write the value where it is used"
)

// yamlProblems is looked through from the top.
var yamlProblems = []yamlProblem{
	{"tab character", "a tab where only spaces can be", hintSpaces},
	{`character '\t'`, "a tab where only spaces can be", hintSpaces},
	{"character '\t'", "a tab where only spaces can be", hintSpaces},
	{"double-quoted text", `the quote " is not closed`, `a text that has " in it is written in ' quotes`},
	{"single-quoted text", "the quote ' is not closed", `a text that has ' in it is written in " quotes`},
	{"is a reserved character", "a text cannot begin with this character", hintQuotes},
	{"mapping value is not allowed", "a second key on this line, or a colon in a text without quotes", hintQuotes + "; " + hintIndent},
	{"map key-value is pre-defined", "this line has neither a key nor the right indentation", hintIndent},
	{"value is not allowed in this context", "this line does not fit the indentation of the lines above it", hintIndent},
	{"sequence entries are not allowed", "this line does not fit the indentation of the lines above it", hintIndent},
	{"number of indent", "the indentation of this text does not fit", hintIndent},
	{"non-map value", "not a key with a value", "write KEY: VALUE; " + hintIndent},
	{"unexpected key name", "not a key with a value", "write KEY: VALUE; " + hintIndent},
	{"delimiter ':'", "not a key with a value", "write KEY: VALUE; " + hintIndent},
	{"sequence end token", "the bracket [ is not closed", "close it with ]"},
	{"',' or ']'", "a comma or ] is missing", ""},
	{"corresponding to ']'", "a ] without a [ before it", hintQuotes},
	{"flow map", "the brace { is not closed", "close it with }"},
	{"',' or '}'", "a comma or } is missing", ""},
	{"corresponding to '}'", "a } without a { before it", hintQuotes},
	{"found ','", "a comma with nothing before it", ""},
	{"escape", `an unknown escape after \`, `write \\ for a backslash, or use ' quotes, in which \ means nothing`},
	{"surrogate", `an unknown escape after \`, `write the character itself`},
	{"UTF-", `an unknown escape after \`, `write the character itself`},
	{"anchor", "anchors (&name) cannot be used here", hintNoAlias},
	{"alias", "aliases (*name) cannot be used here", hintNoAlias},
	{"merge key", "merge keys (<<) cannot be used here", hintNoAlias},
	{"tag", "tags (!name) cannot be used here", "leave the tag out; " + hintQuotes},
	{"YAML version", "a directive (%NAME) cannot be used here", "leave the line out"},
	{"directive", "a directive (%NAME) cannot be used here", "leave the line out"},
	{"document separator", "text behind the document separator ---", "the file holds one document: leave --- out"},
	{"multi-line", "no text under | or >", "indent the lines of the text"},
	{"implicit line break", "a key over several lines", "write the key on one line"},
	{"key", "a key cannot stand here", "write KEY: VALUE; " + hintIndent},
}

var repeatedKey = regexp.MustCompile(`^mapping key "(.*)" already defined at \[(\d+):\d+\]$`)

// YAML says in plain words what the YAML library complains of in message, and what to do
// about it.
func YAML(message string) (what, hint string) {
	if m := repeatedKey.FindStringSubmatch(message); m != nil {
		return "key " + m[1] + " appears twice, first on line " + m[2], "leave one of them out"
	}
	for _, p := range yamlProblems {
		if strings.Contains(message, p.said) {
			return p.what, p.hint
		}
	}
	return "this is not YAML", hintIndent + "; " + hintQuotes
}
