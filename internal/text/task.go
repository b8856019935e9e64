package text

import "strings"

// tasks says what a person does before a command, by the names that internal/advice has
// for it, as sentences without a full stop. FILE stands for the file that it is about.
var tasks = map[string]string{
	"see_above":            "see to what is named above",
	"fix_above":            "mend what is named above",
	"fix_failed_checks":    "do what the lines that failed say",
	"leave_file_alone":     "see that nothing writes to FILE",
	"leave_input_alone":    "see that nothing writes to the input",
	"restore_file":         "put FILE back as it was",
	"fix_file":             "mend FILE at that place",
	"fix_file_rest":        "mend FILE at that place; what was read before it is in the API",
	"fix_mapping":          "mend the mapping or FILE",
	"fix_mapping_reasons":  "see the reasons in rejects.csv, and mend the mapping or FILE",
	"fix_mapping_refused":  "mend the mapping, FILE or the permissions, as the reasons in rejects.csv have it",
	"fix_rows_in_file":     "mend the rows that rejects.csv names in FILE",
	"fix_rejects":          "mend the rows in rejects.csv",
	"fix_rejects_again":    "mend the rows in rejects.csv, where FILE has what was mended before",
	"allow_more_rejects":   "see the reasons in rejects.csv; to go on all the same, allow more of them",
	"fix_rejects_or_apply": "mend what rejects.csv lists, and plan again, or go on without those rows",
	"compare_by_hand":      "compare the rows in in_doubt.csv with the API by hand: they have no key of their own to be looked up by, which --stamp would give them",
	"compare_or_resume":    "compare the rows in in_doubt.csv with the API by hand, or go on with the run, which settles them and sends the rest, and take it back again",
	"see_log":              "see in log.jsonl why they cannot be told",
	"see_files":            "see in the files which rows are not as they were sent, or cannot be told",
	"map_required_columns": "say in a mapping file where the required fields come from",
}

// Task returns the sentence for the task called name, which is about file; empty if there
// is no such task.
func Task(name, file string) string { return strings.ReplaceAll(tasks[name], "FILE", file) }
