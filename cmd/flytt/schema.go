package main

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"flytt/internal/dedup"
	"flytt/internal/record"
	"flytt/internal/runs"
	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sinks"
	"flytt/sinks/bulk"
	"flytt/sources"
)

func schemaCommand(a *app) *cobra.Command {
	var jsonSchema, codeList bool
	c := &cobra.Command{
		Use:   "schema [RESOURCE]",
		Short: "Show the fields and rules of a resource, or every code of a problem",
		Long: `schema shows a resource: its fields with their types, lengths and rules, the
filters its list takes, and the headers by which its columns are known. Without
RESOURCE it is the only one there is, or the list of them.`,
		Example: `  flytt schema
  flytt schema externalclientcontactperson --json-schema > contact.schema.json
  flytt schema --codes`,
		Args: resourceArgument.optional,
		RunE: func(_ *cobra.Command, args []string) error {
			if codeList {
				return stdoutError(mappings.DescribeCodes(a.stdout, codes()))
			}
			names := mappings.Resources()
			if len(args) == 0 && len(names) > 1 && !jsonSchema {
				return printBytes(a.stdout, []byte(strings.Join(names, "\n")+"\n"), nil)
			}
			name := append(args, names...)[0]
			r, err := mappings.Lookup(name)
			if err != nil {
				return usage(err, "flytt schema lists the resources")
			}
			if !jsonSchema {
				return stdoutError(mappings.Describe(a.stdout, r))
			}
			data, err := mappings.JSONSchema(r)
			return printBytes(a.stdout, data, err)
		},
	}
	c.Flags().BoolVar(&jsonSchema, "json-schema", false, "print the JSON Schema (2020-12) of a record")
	c.Flags().BoolVar(&codeList, "codes", false, "list every code with its meaning and what to do")
	c.MarkFlagsMutuallyExclusive("json-schema", "codes")
	return c
}

func printBytes(w io.Writer, data []byte, err error) error {
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return stdoutError(err)
}

// codes returns every code that a row can have, in the order of the stages, and then those of
// single records.
func codes() []pipeline.CodeInfo {
	return slices.Concat(sources.Codes, mappings.MapCodes, mappings.Codes, sinks.Codes, bulk.Codes, runs.RetryCodes, dedup.Codes, record.Codes)
}
