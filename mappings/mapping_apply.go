package mappings

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// apply reads a chain of conversions.
func (r *mappingReader) apply(path string, e yamlEntry) []Conversion {
	nodes, err := r.file.list(e.value, e.key)
	if err != nil {
		r.addError(err)
		return nil
	}
	chain := make([]Conversion, 0, len(nodes))
	for i, n := range nodes {
		r.m.mark(fmt.Sprint(path, "/", i), startToken(n))
		chain = append(chain, r.conversion(n))
	}
	return chain
}

// conversion reads one conversion: name, name(arguments), or a mapping with
// the name as its key.
func (r *mappingReader) conversion(n ast.Node) Conversion {
	if m, ok := n.(*ast.MappingNode); ok {
		return r.conversionKeys(m)
	}
	text, err := r.file.text(n, "a conversion")
	if err != nil {
		r.addError(err)
		return Conversion{}
	}
	c, err := parseConversion(text)
	if err != nil {
		r.add(startToken(n), callHint(text), "conversion: %v", err)
	}
	return c
}

// callHint explains the commonest mistake: in a YAML flow list a comma between
// arguments ends the item.
func callHint(text string) string {
	if strings.Contains(text, "(") != strings.HasSuffix(text, ")") {
		return "put a conversion with several arguments in quotes: 'split(\";\", 0)'"
	}
	return ""
}

// conversionKeys reads {replace: {a: b}, strict: true} and {date: [a, b]}.
func (r *mappingReader) conversionKeys(n *ast.MappingNode) Conversion {
	c := Conversion{}
	r.entries(n, "a conversion", nil, func(e yamlEntry) {
		switch {
		case e.key == "strict":
			strict, err := r.file.boolean(e.value, e.key)
			r.addError(err)
			c.Strict = strict
		case c.Name != "":
			r.add(e.at, "each conversion is an item of its own: [{a: …}, {b: …}]", "a second conversion %q in one item", e.key)
		default:
			c.Name = e.key
			r.arguments(&c, e)
		}
	})
	return c
}

func (r *mappingReader) arguments(c *Conversion, e yamlEntry) {
	switch e.value.(type) {
	case *ast.MappingNode:
		r.entries(e.value, c.Name, nil, func(pair yamlEntry) {
			c.Table = append(c.Table, Replacement{From: pair.key, To: r.replacement(pair)})
		})
	case *ast.SequenceNode:
		c.Args = r.texts(e, r.scalar)
	case *ast.NullNode:
	default:
		text, err := r.scalar(e.value, c.Name)
		r.addError(err)
		c.Args = []string{text}
	}
}

func (r *mappingReader) replacement(e yamlEntry) *string {
	if _, ok := e.value.(*ast.NullNode); ok {
		return nil
	}
	text, err := r.scalar(e.value, "a value of replace")
	r.addError(err)
	if text == "" {
		return nil
	}
	return &text
}

// parseConversion parses name or name(argument, …). An argument in single or double
// quotes is taken literally, with quotes in it doubled. Other arguments end at the
// comma and lose the spaces around them.
func parseConversion(text string) (Conversion, error) {
	text = strings.TrimSpace(text)
	name, rest, called := strings.Cut(text, "(")
	c := Conversion{Name: strings.TrimSpace(name)}
	if c.Name == "" {
		return c, errors.New("the name is missing")
	}
	if !called {
		return c, nil
	}
	rest, closed := strings.CutSuffix(rest, ")")
	if !closed {
		return c, errors.New("closing parenthesis is missing")
	}
	for rest = strings.TrimSpace(rest); rest != ""; {
		arg, after, err := cutArgument(rest)
		if err != nil {
			return c, err
		}
		c.Args = append(c.Args, arg)
		if rest, called = strings.CutPrefix(after, ","); called && strings.TrimSpace(rest) == "" {
			return c, errors.New("an argument is empty: write '' for nothing")
		}
		rest = strings.TrimSpace(rest)
	}
	return c, nil
}

// cutArgument returns the first argument of text and what follows it, which is
// empty or starts with a comma.
func cutArgument(text string) (arg, rest string, err error) {
	if quote := text[0]; quote != '"' && quote != '\'' {
		i := strings.IndexByte(text, ',')
		if i < 0 {
			return text, "", nil
		}
		if arg = strings.TrimSpace(text[:i]); arg == "" {
			return "", "", errors.New("an argument is empty: write '' for nothing")
		}
		return arg, text[i:], nil
	}
	quote, arg := text[:1], ""
	for rest = text[1:]; ; {
		part, after, found := strings.Cut(rest, quote)
		if !found {
			return "", "", errors.New("quote not closed")
		}
		arg += part
		if after, found = strings.CutPrefix(after, quote); found {
			arg, rest = arg+quote, after
			continue
		}
		if after = strings.TrimSpace(after); after != "" && after[0] != ',' {
			return "", "", errors.New("text after a closing quote")
		}
		return arg, after, nil
	}
}
