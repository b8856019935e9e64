package recorder

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/pipeline"
)

// cellOf names cells as Excel does, on a sheet whose name would break the
// message apart.
func cellOf(row int64, column int) string {
	if column < 0 {
		return fmt.Sprintf("A;[1]!%d", row)
	}
	return fmt.Sprintf("A;[1]!%c%d", 'A'+column, row)
}

func TestRecorderNamesCellsWhereTheyHaveNames(t *testing.T) {
	o := contactOptions()
	o.Place = cellOf
	r, dir := newRecorder(t, o)
	c := inputChunk([]pipeline.Fate{pipeline.Rejected}, []string{"Anna", "198501022398", "x", "1"})
	c.Rows[0] = 17
	c.Problems = []pipeline.Problem{
		{Field: pipeline.None, Column: pipeline.None, Stage: pipeline.Read, Code: "ragged_row"},
		{Field: pipeline.None, Column: 0, Stage: pipeline.Read, Code: "bare_quote"},
		{Field: 1, Column: 1, Code: "check_digit", Shape: "12 digits"},
		{Field: 2, Column: 2, Code: "email"},
		{Field: 3, Column: pipeline.None, Code: "refused"},
	}
	record(t, r, c)
	want := "\uFEFFNamn;Personnr;email;Kundnr;_row;_errors\r\n" +
		`Anna;'198501022398;x;1;17;"A,(1)!17: wrong number of cells [ragged_row]; Namn (A,(1)!A17): bare quote [bare_quote]; ` +
		`ssn from Personnr (A,(1)!B17): wrong check digit (12 digits) [check_digit]; email (A,(1)!C17): not an e-mail address [email]; ` +
		"external_client.id (A,(1)!17): refused by the API [refused]\"\r\n"
	if diff := cmp.Diff(want, readFile(t, dir, "rejects.csv")); diff != "" {
		t.Errorf("rejects.csv (-want +got):\n%s", diff)
	}
}
