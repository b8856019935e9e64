package main

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"flytt/internal/report"
	"flytt/pipeline"
	"flytt/sinks"
)

func convertCommand(a *app) *cobra.Command {
	j := &job{app: a, verb: "convert"}
	var out string
	o := sinks.FileOptions{Stdout: a.stdout}
	c := &cobra.Command{
		Use:   "convert FILE -o OUT",
		Short: "Map and validate a file, and write the valid rows to another",
		Long: `convert reads FILE (- is standard input), maps and validates it as import does,
and writes the valid rows to OUT, whose extension says the format: ` + strings.Join(sinks.Formats(), ", ") + `.
With -o - the rows go to standard output, and the summary to standard error.
OUT appears whole or not at all; one that exists is left alone without
--overwrite.`,
		Example: `  flytt convert kontakter.csv -m mapping.yaml -o kontakter.jsonl
  flytt convert kontakter.csv -m mapping.yaml -o till-excel.csv --excel
  flytt convert kontakter.csv -m mapping.yaml -o - | head`,
		Args: oneFile,
		RunE: func(c *cobra.Command, args []string) error {
			j.file = args[0]
			if out == "" {
				return usagef("-o contacts.jsonl, or -o - for standard output", "where the rows go is not said; -o FILE says it")
			}
			if out == "-" && j.flags.json {
				return usagef("leave one of them out; summary.json in the run directory has the summary", "-o - and --json both want standard output")
			}
			j.target = func(_ context.Context, j *job) (pipeline.Sink, pipeline.ChunkLimits, error) {
				return j.fileSink(out, &o)
			}
			return j.run(c.Context())
		},
	}
	j.flags.add(c)
	c.Flags().StringVarP(&out, "output", "o", "", "`FILE` to write, - for standard output")
	c.Flags().BoolVar(&o.Overwrite, "overwrite", false, "replace OUT if it exists")
	c.Flags().StringVar(&o.Format, "format", "", "`NAME` of the output's format (default: by extension; jsonl for standard output)")
	c.Flags().BoolVar(&o.Excel, "excel", false, "csv for a Swedish Excel: BOM, semicolons, text kept as text")
	c.Flags().BoolVar(&o.Nulls, "nulls", false, "jsonl: write fields without a value, as null")
	return c
}

// fileSink opens the output.
func (j *job) fileSink(out string, o *sinks.FileOptions) (pipeline.Sink, pipeline.ChunkLimits, error) {
	o.Inputs = append(j.inputs(), j.settings.ownFiles()...)
	if abs, err := filepath.Abs(out); err == nil && out != "-" && filepath.Dir(abs) == j.dir.Path {
		return nil, pipeline.ChunkLimits{}, usagef("write to another directory", "%s: lies in the run directory, which is for the files of the run", out)
	}
	o.Creator = "flytt version " + buildVersion()
	if o.Metadata == nil {
		o.Metadata = map[string]string{}
	}
	o.Metadata["flytt.resource"], o.Metadata["flytt.time"] = j.resource.Name, report.Timestamp(j.started)
	sink, err := sinks.Create(out, j.plan.Schema(), o)
	if err != nil {
		return nil, pipeline.ChunkLimits{}, err
	}
	j.output = out
	if out != "-" {
		if j.output, err = filepath.Abs(out); err != nil {
			return nil, pipeline.ChunkLimits{}, err
		}
	}
	return sink, pipeline.ChunkLimits{}, nil
}

// inputs returns the paths of all files that the run reads.
func (j *job) inputs() []string {
	var paths []string
	for _, path := range []string{j.file, j.flags.mapping} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return append(paths, j.tables()...)
}

// tables returns the paths of the lookup tables.
func (j *job) tables() []string {
	var paths []string
	if j.mapping == nil {
		return nil
	}
	for i := range j.mapping.Fields {
		table := j.mapping.Fields[i].Lookup
		switch {
		case table == nil:
		case filepath.IsAbs(table.File):
			paths = append(paths, table.File)
		default:
			paths = append(paths, filepath.Join(filepath.Dir(j.flags.mapping), table.File))
		}
	}
	return paths
}
