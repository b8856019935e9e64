package bulk

import "flytt/pipeline"

const (
	codeRefused         pipeline.Code = "refused"
	codeRefusedChunk    pipeline.Code = "refused_chunk"
	codeItemTooLarge    pipeline.Code = "item_too_large"
	codeNotFound        pipeline.Code = "not_found"
	codeNoKey           pipeline.Code = "no_key"
	codeKeyUnusable     pipeline.Code = "key_unusable"
	codeKeyForm         pipeline.Code = "key_form"
	codeKeyNotKept      pipeline.Code = "key_not_kept"
	codeDuplicateInFile pipeline.Code = "duplicate_in_file"
	codeStoredOtherwise pipeline.Code = "stored_otherwise"
	codeFilledIn        pipeline.Code = "filled_in"
	codeExistsOtherwise pipeline.Code = "exists_otherwise"
	codeReadOnlyCell    pipeline.Code = "read_only_cell"

	codeNotAsPlanned pipeline.Code = "not_as_planned"

	// CodeKeyConflict is what is said of a row whose key a record has that somebody else
	// made.
	CodeKeyConflict pipeline.Code = "key_conflict"

	// CodeKeyNotUnique is what is said of a row whose key several records have. If the row
	// was sent, one of them may be its own.
	CodeKeyNotUnique pipeline.Code = "key_not_unique"

	// CodeWouldChange and CodeDuplicateOfRecord are what a Plan says of rows.
	CodeWouldChange       pipeline.Code = "would_change"
	CodeDuplicateOfRecord pipeline.Code = "duplicate_of_record"

	// These are what Verify and Undo note of the rows of an earlier run.
	codeMissing      pipeline.Code = "missing"
	codeDiffers      pipeline.Code = "differs"
	codeChangedSince pipeline.Code = "changed_since"
	codeNotShown     pipeline.Code = "not_shown"
	codeNotKept      pipeline.Code = "not_kept"
	codeNotTold      pipeline.Code = "not_told_apart"
	codeStoresElse   pipeline.Code = "not_restored"

	// These are what validation notes, and documents.
	codeUUID     pipeline.Code = "uuid"
	codeRequired pipeline.Code = "required"
)

// Codes documents the codes that this package notes.
var Codes = []pipeline.CodeInfo{
	{Code: codeRefused, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "refused by the API",
		Fix:     "Read the API's own words in the rejects file, and correct the row."},
	{Code: codeRefusedChunk, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "refused by the API together with other rows",
		Fix:     "The API did not say which rows it minds, and too many requests would have been needed to find out; import the rejects again: flytt retry."},
	{Code: codeItemTooLarge, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "too large for the API on its own",
		Fix:     "Shorten the row's texts: the server does not take a request of this size."},
	{Code: CodeKeyConflict, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "another record has this key",
		Fix:     "The API holds a record with the row's key and other contents, which the run did not make; compare the two, and change the key or the record."},
	{Code: CodeKeyNotUnique, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "several records have this key",
		Fix:     "The API holds more than one record with the row's key; remove those that are too many, or name the one that is meant by its id."},
	{Code: codeNotFound, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "no such record to change",
		Fix:     "The API has no record with the row's id or key that these credentials may see; correct it, or empty the id to make a new record."},
	{Code: codeNoKey, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "neither an id nor a key to find the record by",
		Fix:     "Fill in the key or the id; without one the row would become a new record at every import, which --mode create makes of it."},
	{Code: codeKeyUnusable, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "a key that the API cannot be asked for",
		Fix:     "Give the record's id: a key with a control character in it or around it, or a very long one, cannot be looked up."},
	{Code: codeKeyForm, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "a record has this key in another form",
		Fix:     "Only case, white space or Unicode form differs, and the API takes the two keys for the same: write the key as the record has it, or change the record."},
	{Code: codeKeyNotKept, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "a key that the API may store in another form",
		Fix:     "Whether a record has the key cannot be told by looking it up, so that each import would make another record. Write keys in the form in which the API stores them (flytt export shows it), or give the record's id."},
	{Code: codeDuplicateInFile, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "another row of the file is about the same record",
		Fix:     "Leave one row for each id and each key."},
	{Code: codeExistsOtherwise, Stage: pipeline.Write, Severity: pipeline.Warning,
		Meaning: "left out: its key is in the API with another value here",
		Fix:     "Nothing was sent: compare the record with the row, and import with --mode upsert if it is the row that is right."},
	{Code: codeReadOnlyCell, Stage: pipeline.Write, Severity: pipeline.Warning,
		Meaning: "differs from the record in a field that only the API sets",
		Fix:     "Nothing is changed there: take the edit back, or export again if the record is newer than the file."},
	{Code: codeStoredOtherwise, Stage: pipeline.Write, Severity: pipeline.Warning,
		Meaning: "written, and the API stored another form of the value",
		Fix:     "Look at one of the records: the API brings values of this field into a form of its own, or does not take the field. Where it is only another form, compare in flytt.yaml says so: compare: {email: lower}."},
	{Code: codeFilledIn, Stage: pipeline.Write, Severity: pipeline.Warning,
		Meaning: "written, and the API filled in a field that the row leaves empty",
		Fix:     "Nothing needs to be done; if the text is wrong, give the row one of its own."},
	{Code: codeMissing, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "written by the run, and not there now",
		Fix:     "Somebody deleted the record, or these credentials may not see it; to send the row again, import it as a file of its own."},
	{Code: codeDiffers, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "the record holds something else than the row",
		Fix:     "Compare the two: the record was changed since, or the API brings values into a form of its own."},
	{Code: codeNotShown, Stage: pipeline.Write, Severity: pipeline.Warning,
		Meaning: "as sent, but for a reference that the API does not show",
		Fix:     "Nothing speaks against it; where it leads can only be seen in the API's own user interface."},
	{Code: codeChangedSince, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "kept: changed since by somebody else",
		Fix:     "The record holds something else than the run wrote, or a text where the run left a field empty; see to it by hand."},
	{Code: codeNotKept, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "kept: what it held before is not on record",
		Fix:     "The run was told --undoable=false, the record was encrypted (--identity FILE opens it), or the API does not show what the field held."},
	{Code: codeNotTold, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "kept: which record it is cannot be told",
		Fix:     "The API gave the run no id, and no key, or several records, tell of it; see to it by hand."},
	{Code: codeStoresElse, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "restored, and the API stored something else",
		Fix:     "Compare the record with what it was: the API may not take the field's old value."},
	{Code: codeNotAsPlanned, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "not what the plan says",
		Fix:     "The row would do something else now than was planned, because records have changed: flytt plan makes a new plan."},
	{Code: CodeWouldChange, Stage: pipeline.Write, Severity: pipeline.Warning,
		Meaning: "would change in its record",
		Fix:     "plan.csv names the records and the fields."},
	{Code: CodeDuplicateOfRecord, Stage: pipeline.Validate, Severity: pipeline.Warning,
		Meaning: "a record that is there has the same",
		Fix:     "The row would make a second record; plan.csv names the first. --skip-existing or --mode upsert finds it by its key."},
}
