package run_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"flytt/internal/journal"
	"flytt/internal/run"
	"flytt/internal/runs"
)

const register = `custom_id,name,title,external_client.id
A-1,Anna Ek,VD,6f9a3c1e-0000-4000-8000-000000000001
A-2,Bo Al,,6f9a3c1e-0000-4000-8000-000000000001
`

// An import into a sandbox: the first row is written, the second lacks a title.
func ExampleImport() {
	dir, err := os.MkdirTemp("", "flytt-example-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "register.csv")
	if err := os.WriteFile(file, []byte(register), 0o600); err != nil {
		log.Fatal(err)
	}
	store, err := runs.NewStore(filepath.Join(dir, "runs"), func() (*journal.Key, error) { return journal.LoadKey(dir) })
	if err != nil {
		log.Fatal(err)
	}
	spec := run.Defaults()
	spec.File, spec.Store = file, store
	spec.Place = run.Place{Sandbox: true, DB: filepath.Join(dir, "sandbox.db")}
	result, err := run.Import(context.Background(), spec, run.Observer{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Summary.Rows.Written, "written,", result.Summary.Rows.Rejected, "rejected; next:", result.Next.Command.Verb)
	// Output: 1 written, 1 rejected; next: retry
}
