package text

import (
	"regexp"
	"strings"
)

// exprProblem is what the expression library says, and what it means to who wrote the
// expression. $1 and so on stand for the groups of said.
type exprProblem struct {
	said       *regexp.Regexp
	what, hint string
}

// exprProblems is looked through from the top.
var exprProblems = compileProblems([][3]string{
	{`^unexpected token Operator\("="\)`, "= does not compare", "write == to compare"},
	{`^unexpected token EOF|^unexpected end`, "the expression ends too early", "a value, or a closing bracket, is missing"},
	{`^unexpected token Operator\("(.*)"\)`, "$1 cannot stand here", `compare with == != < <= > >=, combine with && || !`},
	{`^unexpected token Bracket\("(.*)"\)`, "the bracket $1 has no partner, or cannot stand here", ""},
	{`^unexpected token (?:Identifier|Number)\("(.*)"\)`, "$1 cannot stand here: an operator is missing before it", `put text in quotes: "…"`},
	{`^unexpected token`, "a text cannot stand here: an operator is missing before it", `join texts with +`},
	{`^unknown name (\S+)`, "unknown name $1", `name a column as col["$1"], and put text in quotes: "$1"`},
	{`^unknown (?:field|builtin) (\S+)`, "unknown name $1", ""},
	{`^non-bool expression .*condition`, "what stands before ? is not true or false", `compare: col["NAME"] == "…"`},
	{`^unknown operator \((.*)\)`, "unknown operator $1", ""},
	{`^invalid operation: (&&|\|\||and|or|not|!) \(`, "$1 needs true or false, not text or a number", `compare: col["NAME"] == "…"`},
	{`^invalid operation: (\S+) \(mismatched types? (.+) and (.+)\)`, "$1 cannot be used with {$2} and {$3}", `cells are text: int(col["NAME"]) or float(col["NAME"]) makes a number of one`},
	{`^invalid operation: (\S+) \(mismatched type (.+)\)`, "$1 cannot be used with {$2}", ""},
	{`^expected bool, but got (.+)`, "the result is {$1}, not true or false", `compare: col["NAME"] == "…"`},
	{`^(?:unable to unescape|invalid char escape|.*octal sequence)`, `an unknown escape after \`, `write \\ for a backslash`},
	{`^literal not terminated`, "the quote of a text is not closed", "a text ends with the quote that it begins with"},
	{`^unrecognized character: \S+ '(.)'`, "the character $1 cannot stand here", `put text in quotes: "…"`},
	{`^unclosed comment`, "the comment is not closed", "end it with */"},
	{`^bad number syntax|^invalid \w+ literal|literal is too large`, "not a number", ""},
	{`^not enough arguments to call (\S+)`, "$1() needs more arguments", ""},
	{`^too many arguments to call (\S+)`, "$1() takes fewer arguments", ""},
	{`number of arguments|^expected at least \d+ arguments`, "the function takes another number of arguments", ""},
	{`^error parsing regexp|regexp`, "the regular expression after matches is not valid", `escape ( ) [ ] { } . * + ? | ^ $$ with \\`},
	{`is not callable|^cannot call|is nil; cannot call`, "not a function", ""},
	{`predicate`, "the condition of this function is not valid", "write it in braces: any(LIST, {# == 1})"},
	{`takes only array \(got (.+)\)`, "the function takes a list, not {$1}", ""},
	{`^cannot use (\S+) as argument \(type (\S+)\) to call (\S+)`, "$3() takes {$2}, not {$1}", ""},
	{`^invalid argument for (\w+) \(type (.+)\)`, "$1() cannot be used with {$2}", ""},
	{`a map key must be`, "a key of { } is a text in quotes", ""},
	{`has no (?:field|method)|cannot use .* to get|is undefined|cannot slice|array elements|slice index`, "this value has no parts to choose from", `name a column as col["NAME"]`},
	{`maximum allowed nodes`, "the expression is too long", "split it over several fields"},
})

func compileProblems(rows [][3]string) []exprProblem {
	problems := make([]exprProblem, 0, len(rows))
	for _, row := range rows {
		problems = append(problems, exprProblem{regexp.MustCompile(row[0]), row[1], row[2]})
	}
	return problems
}

// Expression says in plain words what the expression library complains of in message,
// and what to do about it.
func Expression(message string) (what, hint string) {
	for _, p := range exprProblems {
		if at := p.said.FindStringSubmatchIndex(message); at != nil {
			fill := func(s string) string { return string(p.said.ExpandString(nil, s, message, at)) }
			return namedTypes.ReplaceAllStringFunc(fill(p.what), valueKind), fill(p.hint)
		}
	}
	return "this cannot be computed", "docs/mapping.md shows what expressions can do"
}

var namedTypes = regexp.MustCompile(`\{[^}]*\}`)

// valueKind names the values of a type of Go, in braces, for people.
func valueKind(braced string) string {
	switch kind := strings.Trim(braced, "{}"); kind {
	case "string":
		return "text"
	case "int", "int64":
		return "a whole number"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "nil", "<nil>", "unknown":
		return "nothing"
	}
	switch {
	case strings.Contains(braced, "[]"), strings.Contains(braced, "array"):
		return "a list"
	case strings.Contains(braced, "map"):
		return "a table"
	}
	return "such a value"
}
