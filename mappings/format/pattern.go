package format

import "regexp"

// Pattern is a compiled regular expression in the syntax of package regexp
// (RE2). It is safe for concurrent use.
type Pattern struct {
	re *regexp.Regexp
}

// CompilePattern compiles expr. The error is that of regexp.Compile.
func CompilePattern(expr string) (*Pattern, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, err
	}
	return &Pattern{re: re}, nil
}

// Match reports whether v holds a match of p.
func (p *Pattern) Match(v []byte) bool { return p.re.Match(v) }
