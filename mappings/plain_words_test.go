package mappings_test

import (
	"regexp"
	"strings"
	"testing"

	"flytt/mappings"
)

// libraryWords are of the libraries that read YAML and expressions. They mean nothing to
// who wrote the file.
var libraryWords = regexp.MustCompile(`(?i)token|mismatched|scalar|unmarshal|strconv|literal|predicate|context|U\+00|parsing|builtin|EOF`)

func TestFaultsOfExpressionsAreInPlainWords(t *testing.T) {
	for expression, want := range map[string]string{
		`col["Namn"] = "x"`:              "= does not compare, at character 13|write == to compare",
		`col["Namn"] === "x"`:            "= does not compare, at character 15|write == to compare",
		`col["Namn"] ==`:                 "the expression ends too early, at character 15|a value, or a closing bracket, is missing",
		`(col["Namn"]`:                   "the expression ends too early, at character 13|a value, or a closing bracket, is missing",
		`col["Namn"])`:                   "the bracket ) has no partner, or cannot stand here, at character 12|",
		`col["Namn"] col["Namn"]`:        `col cannot stand here: an operator is missing before it, at character 13|put text in quotes: "…"`,
		`"a" "b"`:                        "a text cannot stand here: an operator is missing before it, at character 5|join texts with +",
		`col["Namn"] <> "x"`:             "> cannot stand here, at character 14|compare with == != < <= > >=, combine with && || !",
		`nothing`:                        `unknown name nothing|write col["NAME"] for a column, and "nothing" for a text`,
		`namn`:                           `unknown name namn|write col["Namn"] for a column, and "namn" for a text`,
		`uper(col["Namn"])`:              "unknown name uper|did you mean upper?",
		`now()`:                          "now cannot be used|its result differs from run to run",
		`col["Namn"] + 1`:                `+ cannot be used with text and a whole number, at character 13|cells are text: int(col["NAME"]) or float(col["NAME"]) makes a number of one`,
		`-"a"`:                           "- cannot be used with text|",
		`col["Namn"] && true`:            `&& needs true or false, not text or a number, at character 13|compare: col["NAME"] == "…"`,
		`!col["Namn"]`:                   `! needs true or false, not text or a number|compare: col["NAME"] == "…"`,
		`1 ? 2 : 3`:                      `what stands before ? is not true or false|compare: col["NAME"] == "…"`,
		`"x`:                             "the quote of a text is not closed, at character 3|a text ends with the quote that it begins with",
		`"\q"`:                           `an unknown escape after \, at character 3|write \\ for a backslash`,
		`§`:                              `the character § cannot stand here|put text in quotes: "…"`,
		`/* x`:                           "the comment is not closed, at character 6|end it with */",
		`0x`:                             "not a number, at character 3|",
		`99999999999999999999`:           "not a number, at character 21|",
		`upper()`:                        "upper() needs more arguments|",
		`upper("a", "b")`:                "upper() takes fewer arguments|",
		`upper(1)`:                       "upper() takes text, not a whole number, at character 7|",
		`len(1)`:                         "len() cannot be used with a whole number|",
		`any("x", {true})`:               "the function takes a list, not text, at character 5|",
		`any([1], 1)`:                    "the condition of this function is not valid, at character 10|write it in braces: any(LIST, {# == 1})",
		`col["Namn"].x`:                  `this value has no parts to choose from, at character 13|name a column as col["NAME"]`,
		`col["Namn"] matches "["`:        `the regular expression after matches is not valid, at character 13|escape ( ) [ ] { } . * + ? | ^ $ with \\`,
		`{"a": 1}`:                       "the result must be text, a number, true, false or nil|",
		`col["Namm"]`:                    `unknown column "Namm", at character 5|did you mean Namn?`,
		strings.Repeat("1+", 6000) + "1": "the expression is too long, at character 10002|split it over several fields",
	} {
		m := parse(t, "fields:\n  name:\n    expr: |\n      "+expression+"\n")
		_, err := m.Compile(personResource(t), []string{"Namn"}, mappings.CompileOptions{})
		if err == nil {
			t.Errorf("%s: no fault", expression)
			continue
		}
		_, got, _ := strings.Cut(err.Error(), "expression: ")
		what, _, _ := strings.Cut(got, "\n")
		_, hint, _ := strings.Cut(got, "\nhint: ")
		if what+"|"+hint != want {
			t.Errorf("%.40s:\n got %s\nwant %s", expression, what+"|"+hint, want)
		}
	}
}

func TestFaultsOfYAMLAreInPlainWords(t *testing.T) {
	for yaml, want := range map[string]string{
		"fields:\n\tname: A\n":                    "2:1: a tab where only spaces can be|use spaces, not tabs",
		"fields:\n  name:\tA\n \tkey: B\n":        "a tab where only spaces can be|use spaces, not tabs",
		"fields: {name: A\n":                      "1:9: the brace { is not closed|close it with }",
		"fields: {name: A]\n":                     "1:9: the brace { is not closed|close it with }",
		"fields: {name: [A, B\n":                  "the bracket [ is not closed|close it with ]",
		"fields:\n  name: \"A\n":                  `2:9: the quote " is not closed|a text that has " in it`,
		"fields:\n  name: 'A\n":                   `2:9: the quote ' is not closed|a text that has ' in it`,
		"fields:\n  name: @A\n":                   "2:9: a text cannot begin with this character|put a text",
		"fields:\n  name: A: B\n":                 "2:9: a second key on this line, or a colon in a text without quotes|put a text",
		"fields:\n name: A\n   key: B\n":          "a second key on this line, or a colon in a text without quotes|put a text",
		"fields:\n  - a\n  b: c\n":                "3:3: this line does not fit the indentation of the lines above it|keys of one level",
		"fields: |\nname\n":                       "2:1: not a key with a value|write KEY: VALUE",
		"fields:\n  name: \"\\q\"\n":              `an unknown escape after \|write \\ for a backslash`,
		"%YAML 9\n":                               "1:1: a directive (%NAME) cannot be used here|leave the line out",
		"fields: {name: A, name: B}\n":            "1:19: key name appears twice, first on line 1|leave one of them out",
		"fields:\n  name: *A\n":                   "2:9: field name needs text, not an anchor or alias",
		"fields:\n  name: !!binary A\n":           "needs text, not a tag",
		"--- fields\n--- x\n":                     "",
		"fields:\n  name: A\n  title\n  key: B\n": "",
		"fields:\n  name: {expr: }}\n":            "",
		"fields: [,]\n":                           "",
		"a: b\n c: d\n- e\n":                      "",
		"fields:\n  name: A\n ---\n":              "",
		"\"fields\" \"x\": y\n":                   "",
		"fields:\n  ? [a]\n  : b\n":               "",
		"fields: >\n\tx\n":                        "",
		"<<: *x\n":                                "",
		"fields: &a &b c\n":                       "",
		"fields: \"\\ud800x\"\n":                  "",
	} {
		_, err := mappings.ParseMapping("m.yaml", []byte(yaml))
		if err == nil {
			t.Errorf("%q: no fault", yaml)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		got, hint := lines[0], ""
		if last := lines[len(lines)-1]; strings.HasPrefix(last, "hint: ") {
			hint = strings.TrimPrefix(last, "hint: ")
		}
		if wantWhat, wantHint, _ := strings.Cut(want, "|"); !strings.Contains(got, wantWhat) || !strings.HasPrefix(hint, wantHint) {
			t.Errorf("%q:\n got %s|%s\nwant %s", yaml, got, hint, want)
		}
		if word := libraryWords.FindString(got + hint); word != "" {
			t.Errorf("%q: %s in %s|%s", yaml, word, got, hint)
		}
	}
}
