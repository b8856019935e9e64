package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flytt/internal/advice"
	"flytt/internal/text"
)

// wrongCall returns err, with which cobra says how c was called wrongly, in our words.
func wrongCall(c *cobra.Command, err error) error {
	if names := exclusiveFlags(c); len(names) > 1 {
		return usagef("leave one of them out", "%s cannot be used together", strings.Join(names, " and "))
	}
	return usage(err, helpHint(c))
}

// helpHint says where to look up how c is called.
func helpHint(c *cobra.Command) string { return c.CommandPath() + " --help shows how it is called" }

// exclusiveFlags returns the flags given to c that are marked as mutually exclusive.
func exclusiveFlags(c *cobra.Command) (names []string) {
	c.Flags().Visit(func(f *pflag.Flag) {
		if len(f.Annotations["cobra_annotation_mutually_exclusive"]) > 0 {
			names = append(names, "--"+f.Name)
		}
	})
	return names
}

// wrongFlag returns err, which pflag found in the flags of c, in our words.
func wrongFlag(c *cobra.Command, err error) error {
	hint := c.CommandPath() + " --help lists the flags"
	var (
		unknown *pflag.NotExistError
		bare    *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
		syntax  *pflag.InvalidSyntaxError
	)
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		letter, _ := utf8.DecodeRuneInString(unknown.GetSpecifiedName())
		return usagef(hint, "unknown flag: -%c", letter)
	case errors.As(err, &unknown):
		return unknownFlag(c, unknown.GetSpecifiedName(), hint)
	case errors.As(err, &bare):
		return usagef(flagExample(bare.GetFlag()), "--%s needs a value", bare.GetFlag().Name)
	case errors.As(err, &invalid):
		return wrongValue(invalid.GetFlag(), invalid.GetValue(), errors.Unwrap(invalid))
	case errors.As(err, &syntax):
		return usagef(hint, "%q is not a flag", syntax.GetSpecifiedFlag())
	}
	return usage(err, hint)
}

// unknownFlag says that c has no flag called name, and suggests the one that was meant.
func unknownFlag(c *cobra.Command, name, otherwise string) error {
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if near := text.Suggest(name, names); near != "" {
		otherwise = "did you mean --" + near + "?"
	}
	return usagef(otherwise, "unknown flag: --%s", text.Printable(name))
}

// flagExample shows how f is given.
func flagExample(f *pflag.Flag) string {
	name, _ := pflag.UnquoteUsage(f)
	return "write --" + f.Name + " " + name
}

// wrongValue says why f cannot have value, which cause says in words of our own or of
// the standard library.
func wrongValue(f *pflag.Flag, value string, cause error) error {
	if errors.Is(cause, strconv.ErrRange) {
		return usagef("give a smaller number", "--%s %q is out of range", f.Name, value)
	}
	wants := map[string][2]string{
		"int":         {"a whole number", "write --" + f.Name + " 10"},
		"int64":       {"a whole number", "write --" + f.Name + " 10"},
		"uint64":      {"a whole number", "write --" + f.Name + " 10"},
		"float64":     {"a number", "write --" + f.Name + " 2.5, with a point for the decimals"},
		"duration":    {"a duration", "write --" + f.Name + " 30s, 5m or 2h"},
		"stringSlice": {"a list", "separate the names by commas"},
		"bool":        {"true or false", "write --" + f.Name + " alone, or --" + f.Name + "=false"},
	}
	if kind, ok := wants[f.Value.Type()]; ok {
		return usagef(kind[1], "--%s takes %s, not %q", f.Name, kind[0], value)
	}
	return usagef(flagExample(f), "--%s %q: %w", f.Name, value, cause)
}

// argument is what a verb is given beside its flags.
type argument struct {
	what string // such as: a file
	mark string // as the help calls it
}

var (
	fileArgument     = argument{"a file", "FILE"}
	runArgument      = argument{"a run", "RUN"}
	idArgument       = argument{"a record", "ID"}
	planArgument     = argument{"a plan", "PLAN"}
	resourceArgument = argument{"a resource", "RESOURCE"}
)

// needed refuses anything but one argument.
func (a argument) needed(c *cobra.Command, args []string) error {
	if len(args) == 0 || args[0] == "" {
		return usagef(helpHint(c), "name %s: %s %s", a.what, c.CommandPath(), a.mark)
	}
	return a.optional(c, args)
}

// optional refuses more than one argument.
func (a argument) optional(c *cobra.Command, args []string) error {
	if len(args) < 2 {
		return nil
	}
	hint := helpHint(c)
	if o := c.Flags().ShorthandLookup("o"); o != nil && !o.Changed && len(args) == 2 {
		hint = "did you mean -o " + text.Printable(args[1]) + "?"
	}
	return usagef(hint, "%s takes one %s, and %d were given", c.CommandPath(), a.mark, len(args))
}

// retryArguments wants the fixed rows, and before them the run that they are of.
func retryArguments(c *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return usagef(helpHint(c), "name the file with the fixed rows: %s FILE", c.CommandPath())
	case 1, 2:
		return nil
	}
	return usagef(helpHint(c), "%s takes a run and a file, and %d arguments were given", c.CommandPath(), len(args))
}

// noArguments refuses arguments. To a verb that has verbs of its own they are the name
// of one that does not exist.
func noArguments(c *cobra.Command, args []string) error {
	switch o := c.Flags().ShorthandLookup("o"); {
	case len(args) == 0:
		return nil
	case c.HasSubCommands():
		return unknownVerb(c, args[0])
	case o != nil && !o.Changed && len(args) == 1:
		return usagef("did you mean -o "+text.Printable(args[0])+"?", "%s takes no arguments", c.CommandPath())
	}
	return usagef(helpHint(c), "%s takes no arguments, and %q was given", c.CommandPath(), args[0])
}

// unknownVerb says that c has no verb called name, and suggests the one that was meant.
func unknownVerb(c *cobra.Command, name string) error {
	var verbs []string
	for _, v := range c.Commands() {
		if v.IsAvailableCommand() || v.Name() == "help" {
			verbs = append(verbs, v.Name())
		}
	}
	hint := c.CommandPath() + " --help lists the commands"
	if len(verbs) <= 6 {
		hint = "use " + text.OneOf(verbs)
	}
	if near := text.Suggest(name, verbs); near != "" {
		hint = "did you mean " + c.CommandPath() + " " + near + "?"
	} else if _, err := os.Stat(name); err == nil && c.Parent() == nil && filepath.Ext(name) != "" {
		hint = "say what to do with the file: " + advice.Join([]string{"flytt", "inspect", name})
	}
	return usagef(hint, "unknown command %q for %q", name, c.CommandPath())
}

// helpTopic refuses to explain a verb that does not exist.
func helpTopic(c *cobra.Command, args []string) error {
	verb, rest, err := c.Root().Find(args)
	if err == nil && len(rest) > 0 && verb.HasSubCommands() {
		return unknownVerb(verb, rest[0])
	}
	return err
}

// checkArguments lets flytt itself, and the verbs that cobra adds, refuse arguments as
// the other verbs do.
func checkArguments(root *cobra.Command) {
	root.Args = noArguments
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Args = helpTopic
		case "completion":
			c.Args = noArguments
			for _, shell := range c.Commands() {
				shell.Args = noArguments
			}
		}
	}
}
