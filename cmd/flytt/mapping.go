package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"flytt/mappings"
)

func mappingCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "mapping",
		Short: "Help with mapping files",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(mappingSchemaCommand(a), mappingConversionsCommand(a))
	return c
}

func mappingSchemaCommand(a *app) *cobra.Command {
	var export bool
	c := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the mapping file, for editors",
		Long: `schema prints the JSON Schema (2020-12) of the mapping file. With the YAML
extension of an editor it completes and checks a mapping as it is typed: put
  # yaml-language-server: $schema=mapping.schema.json
on the first line of the mapping. With --export it is the schema of a mapping
for flytt export, whose columns are named on the left.`,
		Example: `  flytt mapping schema > mapping.schema.json
  flytt mapping schema --export > export.schema.json`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			schema := mappings.MappingJSONSchema
			if export {
				schema = mappings.ExportMappingJSONSchema
			}
			data, err := schema()
			return printBytes(a.stdout, data, err)
		},
	}
	c.Flags().BoolVar(&export, "export", false, "of a mapping for flytt export")
	return c
}

func mappingConversionsCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "conversions",
		Short:   "List what apply can do in a mapping file",
		Example: `  flytt mapping conversions`,
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
			for _, c := range mappings.Conversions() {
				if _, err := fmt.Fprintf(t, "%s\t%s\n", c.Form, c.Help); err != nil {
					return stdoutError(err)
				}
			}
			return stdoutError(t.Flush())
		},
	}
}
