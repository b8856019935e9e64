package bulk

import (
	"slices"

	"flytt/pipeline"
)

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
var Codes = slices.Concat(
	pipeline.ErrorCodes(pipeline.Write, codeRefused, codeRefusedChunk, codeItemTooLarge, CodeKeyConflict, CodeKeyNotUnique,
		codeNotFound, codeNoKey, codeKeyUnusable, codeKeyForm, codeKeyNotKept, codeDuplicateInFile),
	[]pipeline.CodeInfo{
		{Code: codeExistsOtherwise, Stage: pipeline.Write, Severity: pipeline.Warning},
		{Code: codeReadOnlyCell, Stage: pipeline.Write, Severity: pipeline.Warning},
		{Code: codeStoredOtherwise, Stage: pipeline.Write, Severity: pipeline.Warning},
		{Code: codeFilledIn, Stage: pipeline.Write, Severity: pipeline.Warning},
	},
	pipeline.ErrorCodes(pipeline.Write, codeMissing, codeDiffers),
	[]pipeline.CodeInfo{{Code: codeNotShown, Stage: pipeline.Write, Severity: pipeline.Warning}},
	pipeline.ErrorCodes(pipeline.Write, codeChangedSince, codeNotKept, codeNotTold, codeStoresElse, codeNotAsPlanned),
	[]pipeline.CodeInfo{
		{Code: CodeWouldChange, Stage: pipeline.Write, Severity: pipeline.Warning},
		{Code: CodeDuplicateOfRecord, Stage: pipeline.Validate, Severity: pipeline.Warning},
	},
)
