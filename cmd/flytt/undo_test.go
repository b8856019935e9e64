package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"filippo.io/age"

	"flytt/internal/sandbox"
)

// writeIdentity writes a new identity to the file path and returns who can seal
// for it.
func writeIdentity(t *testing.T, path string) (recipient string) {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("# made for a test\n"+identity.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return identity.Recipient().String()
}

// edited exports n contacts and changes the names of three of them in the file.
func edited(t *testing.T, r *recorded, n int) (before []byte) {
	t.Helper()
	exported(t, r, n)
	before = read(t, "contacts.csv")
	for _, i := range []string{"0", "1", "2"} {
		edit(t, "contacts.csv", "Person "+i+" Åström", "Person "+i+" Öberg")
	}
	return before
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// wantAsBefore checks that the API holds what an export of it was.
func wantAsBefore(t *testing.T, before []byte) {
	t.Helper()
	flytt(t, exitDone, "export", "-o", "now.csv", "--overwrite")
	if !bytes.Equal(read(t, "now.csv"), before) {
		t.Errorf("the records are not what they were:\n%s\n%s", read(t, "now.csv"), before)
	}
}

// TestUndoOpensWhatWasSealed has what records held sealed for one key: another
// does not open it, without one nothing begins, and the right one restores all.
func TestUndoOpensWhatWasSealed(t *testing.T) {
	r := sandboxWith(t, sandbox.Options{})
	before := edited(t, r, 5)
	recipient := writeIdentity(t, "right.txt")
	writeIdentity(t, "wrong.txt")
	for name, mode := range map[string]os.FileMode{"no.txt": 0o600, "loose.txt": 0o644} {
		text := []byte("Person 1 Åström")
		if mode != 0o600 { // the right key, which others can read
			text = read(t, "right.txt")
		}
		if err := os.WriteFile(name, text, mode); err != nil {
			t.Fatal(err)
		}
	}
	flytt(t, exitDone, "import", "contacts.csv", "--run-dir", "run", "--undo-recipient", recipient)

	s := flytt(t, exitUsage, "undo", "run", "--run-dir", "none")
	if s.Run != "" || s.Error == nil || !strings.Contains(s.Error.Hint, "--identity") || !strings.HasSuffix(s.Error.Next, " --identity FILE") {
		t.Errorf("without an identity: %+v %+v", s.Run, s.Error)
	}
	files := map[string]int{"wrong.txt": exitUsage, "no.txt": exitUsage, "gone.txt": exitUsage}
	if runtime.GOOS != "windows" {
		files["loose.txt"] = exitUsage
	}
	for file, code := range files {
		s := flytt(t, code, "undo", "run", "--identity", file)
		if s.Error == nil || strings.Contains(s.Error.Message, "Person") {
			t.Errorf("%s: %+v", file, s.Error)
		}
		if s.Error != nil && file == "wrong.txt" && !strings.Contains(s.Error.Hint, "--identity") {
			t.Errorf("%s: hint: %s", file, s.Error.Hint)
		}
		if s.Run != "" { // it would be resumed by resume, which takes no other key
			t.Errorf("%s: an undo has begun: %s", file, s.Run)
		}
	}
	s = flytt(t, exitDone, "undo", "run", "--identity", "right.txt")
	if s.Rows.Updated != 3 || s.Rows.Written != 3 {
		t.Errorf("%+v", s.Rows)
	}
	wantAsBefore(t, before)
}

// TestReferencesThatAreNotShown has an API that answers {} for references: nothing
// speaks against them, so that what a run made is as sent, and deleted.
func TestReferencesThatAreNotShown(t *testing.T) {
	sandboxWith(t, sandbox.Options{Relations: sandbox.EmptyObject})
	write(t, "new.csv", contacts(3))
	flytt(t, exitDone, "import", "new.csv", "--run-dir", "run")
	s := flytt(t, exitDone, "verify", "run")
	if s.Rows.Unchanged != 3 || len(s.Warnings) != 1 || s.Warnings[0].Code != "not_shown" || s.Warnings[0].Count != 3 {
		t.Errorf("%+v %+v", s.Rows, s.Warnings)
	}
	if s = flytt(t, exitDone, "undo", "run"); s.Rows.Written != 3 {
		t.Errorf("%+v %+v", s.Rows, s.Rejects)
	}
}

// TestUndoOutlivesFaults has requests of an undo fail before and after they are
// done: in the end the records are what they were.
func TestUndoOutlivesFaults(t *testing.T) {
	for _, fault := range []string{
		"patch:1:commit-then-reset", "patch:2:reset", "patch:1-2:500", "patch:1:html", "delete:2:html", "patch:1-2:429=0",
		"delete:1:commit-then-reset", "delete:2:reset", "delete:1-2:500", "delete:1:commit-then-500",
	} {
		t.Run(fault, func(t *testing.T) {
			r := sandboxWith(t, sandbox.Options{})
			before := edited(t, r, 5)
			write(t, "new.csv", contacts(8))
			flytt(t, exitDone, "import", "contacts.csv", "--run-dir", "changed")
			flytt(t, exitDone, "import", "new.csv", "--run-dir", "made")
			r.Inject(sandbox.MustParseFaults(fault)...)
			flytt(t, exitDone, "undo", "made", "--settle", "50ms")
			flytt(t, exitDone, "undo", "changed", "--settle", "50ms")
			wantAsBefore(t, before)
		})
	}
}

// TestUndoLeavesNoTrace edits exports at random, imports them, and takes that back:
// the records are what they were.
func TestUndoLeavesNoTrace(t *testing.T) {
	for seed := range uint64(6) {
		for _, mode := range [][]string{{}, {"--write-nulls"}, {"--mode", "upsert", "--key", "custom_id"}, {"--mode", "upsert", "--write-nulls"}} {
			t.Run(fmt.Sprint(mode, seed), func(t *testing.T) {
				r := sandboxWith(t, sandbox.Options{})
				exported(t, r, 12)
				before := read(t, "contacts.csv")
				rng := rand.New(rand.NewPCG(seed, 5))
				lines := strings.Split(strings.TrimSpace(string(before)), "\n")
				for i, line := range lines[1:] {
					cells := strings.Split(line, ",")
					switch rng.IntN(5) {
					case 0:
						cells[1], cells[3] = "Någon Annan", "Ägare"
					case 1: // another record is referred to, and others are cleared
						cells[2], cells[4], cells[9] = "6f9a3c1e-0000-4000-8000-000000000009", "", ""
					case 2: // a new record
						cells[0], cells[7] = "", fmt.Sprintf("B-%d", i)
					}
					lines[i+1] = strings.Join(cells, ",")
				}
				write(t, "contacts.csv", strings.Join(lines, "\n")+"\n")
				flytt(t, exitDone, append([]string{"import", "contacts.csv", "--run-dir", "run"}, mode...)...)
				flytt(t, exitDone, "verify", "run")
				flytt(t, exitDone, "undo", "run")
				wantAsBefore(t, before)
			})
		}
	}
}

// TestUndoStopsAndGoesOn has the credentials expire in the middle.
func TestUndoStopsAndGoesOn(t *testing.T) {
	for _, fault := range []string{"patch:2:401", "patch:2:403"} {
		t.Run(fault, func(t *testing.T) {
			r := sandboxWith(t, sandbox.Options{})
			before := edited(t, r, 5)
			flytt(t, exitDone, "import", "contacts.csv", "--run-dir", "run")
			r.Inject(sandbox.MustParseFaults(fault)...)
			s := flytt(t, exitFatal, "undo", "run", "--run-dir", "undo")
			if s.Rows.Rejected != 0 || s.Error.Next != "flytt resume undo" {
				t.Errorf("%+v, next: %s", s.Rows, s.Error.Next)
			}
			s = flytt(t, exitDone, "resume", "undo", "--settle", "50ms")
			if s.Verb != "undo" || s.Rows.Updated != 3 {
				t.Errorf("%s: %+v", s.Verb, s.Rows)
			}
			wantAsBefore(t, before)
		})
	}
}

// TestUndoIsKilledAndGoneOnWith kills an undo at each state of its journal: gone on
// with, at the second try, it leaves nothing of what the run made, and counts each
// record that it deleted.
func TestUndoIsKilledAndGoneOnWith(t *testing.T) {
	flytt := buildFlytt(t)
	for _, point := range soakPoints {
		t.Run(point, func(t *testing.T) {
			d := newDisk(t, flytt)
			if code, output := d.run("", "import", "in.csv", "-m", "mapping.yaml", "--run-dir", "run", "--chunk-rows", "40"); code != exitDone {
				t.Fatalf("import: exit code %d\n%s", code, output)
			}
			if err := os.Mkdir(filepath.Join(d.dir, "moved"), 0o700); err != nil {
				t.Fatal(err)
			}
			env := d.env
			d.env = append(d.env, "FLYTT_FAILPOINT="+point+":4")
			if code, output := d.run("", "undo", "run", "--run-dir", "undo", "--concurrency", "2"); code >= 0 {
				t.Fatalf("undo: exit code %d, and it was to be killed\n%s", code, output)
			}
			d.env = env
			for _, name := range []string{"run", "undo"} { // and moved, both
				if err := os.Rename(filepath.Join(d.dir, name), filepath.Join(d.dir, "moved", name)); err != nil {
					t.Fatal(err)
				}
			}
			if left := len(idsOf(t, d.box)); left == 0 {
				t.Error("nothing was left to resume")
			}
			d.box.Inject(sandbox.MustParseFaults("get:1:401")...)
			if code, output := d.run("", "resume", "moved/undo", "--settle", "50ms"); code != exitFatal {
				t.Errorf("resume without credentials: exit code %d\n%s", code, output)
			}
			code, output := d.run("", "resume", "moved/undo", "--json", "--settle", "50ms")
			if code != exitDone || !strings.Contains(output, `"written": 600`) || !strings.Contains(output, `"unchanged": 0`) {
				t.Errorf("resume: exit code %d\n%s", code, output)
			}
			if left := len(idsOf(t, d.box)); left > 0 {
				t.Errorf("%d records are left", left)
			}
		})
	}
}
