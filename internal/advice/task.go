package advice

// Task is what a person does before a command.
type Task struct {
	Name TaskName
	File string // that it is about, where it is about one
}

// TaskName names a kind of Task. Internal/text has a sentence for each.
type TaskName string

// The kinds of Task.
const (
	SeeAbove           TaskName = "see_above"            // what a message named
	FixAbove           TaskName = "fix_above"            // likewise, in a file
	FixFailedChecks    TaskName = "fix_failed_checks"    // of doctor
	LeaveFileAlone     TaskName = "leave_file_alone"     // nothing may write to File while it is read
	LeaveInputAlone    TaskName = "leave_input_alone"    // likewise
	RestoreFile        TaskName = "restore_file"         // File changed since the run began
	FixFile            TaskName = "fix_file"             // at the place that a message names
	FixFileRest        TaskName = "fix_file_rest"        // likewise; what stands before it was sent
	FixMapping         TaskName = "fix_mapping"          // or File
	FixMappingReasons  TaskName = "fix_mapping_reasons"  // or File, by the reasons of the rejects
	FixMappingRefused  TaskName = "fix_mapping_refused"  // or File, or the permissions, by the reasons of the rejects
	FixRowsInFile      TaskName = "fix_rows_in_file"     // those that rejects.csv names, in File
	FixRejects         TaskName = "fix_rejects"          // in rejects.csv
	FixRejectsAgain    TaskName = "fix_rejects_again"    // likewise; File has what was fixed before
	AllowMoreRejects   TaskName = "allow_more_rejects"   // or fix what is rejected
	FixRejectsOrApply  TaskName = "fix_rejects_or_apply" // of a plan
	CompareByHand      TaskName = "compare_by_hand"      // rows in doubt have no key
	CompareOrResume    TaskName = "compare_or_resume"    // rows in doubt of a run that was undone
	SeeLog             TaskName = "see_log"              // why rows are in doubt
	SeeFiles           TaskName = "see_files"            // which rows differ
	MapRequiredColumns TaskName = "map_required_columns" // in a mapping file
)

// Tasks are all of them.
var Tasks = []TaskName{
	SeeAbove, FixAbove, FixFailedChecks, LeaveFileAlone, LeaveInputAlone, RestoreFile, FixFile, FixFileRest, FixMapping, FixMappingReasons,
	FixMappingRefused, FixRowsInFile, FixRejects, FixRejectsAgain, AllowMoreRejects, FixRejectsOrApply, CompareByHand, CompareOrResume,
	SeeLog, SeeFiles, MapRequiredColumns,
}
