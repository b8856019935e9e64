package text

import "strings"

// tasks says what a person does before a command, by the names that internal/advice has
// for it, as sentences without a full stop. FILE stands for the file that it is about.
var tasks = map[string]string{
	"see_above":            "correct what is named above",
	"fix_above":            "fix what is named above",
	"fix_failed_checks":    "fix what the failed lines name",
	"leave_file_alone":     "make sure that nothing writes to FILE",
	"leave_input_alone":    "make sure that nothing writes to the input",
	"restore_file":         "restore FILE as it was",
	"fix_file":             "fix FILE at that place",
	"fix_file_rest":        "fix FILE at that place; the rows before it are in the API",
	"fix_mapping":          "fix the mapping or FILE",
	"fix_mapping_reasons":  "see the reasons in rejects.csv, and fix the mapping or FILE",
	"fix_mapping_refused":  "fix the mapping, FILE or the permissions (the reasons are in rejects.csv)",
	"fix_rows_in_file":     "fix in FILE the rows that rejects.csv lists",
	"fix_rejects":          "fix the rows in rejects.csv",
	"fix_rejects_again":    "fix the rows in rejects.csv (FILE has the earlier fixes)",
	"allow_more_rejects":   "see the reasons in rejects.csv; to continue anyway, allow more rejects",
	"fix_rejects_or_apply": "fix what rejects.csv lists and plan again, or apply the plan without those rows",
	"compare_by_hand":      "compare the rows in in_doubt.csv with the API by hand: they have no key to look them up by (--stamp gives them one)",
	"compare_or_resume":    "compare the rows in in_doubt.csv with the API by hand, or resume the run, which settles them and sends the rest, and undo it again",
	"see_log":              "see log.jsonl for the cause",
	"see_files":            "see in the files which rows differ from what was sent, or cannot be compared",
	"map_required_columns": "map the required fields in a mapping file",
}

// Task returns the sentence for the task called name, which is about file; empty if there
// is no such task.
func Task(name, file string) string { return strings.ReplaceAll(tasks[name], "FILE", file) }
