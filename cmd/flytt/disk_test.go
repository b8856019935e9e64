package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flytt/internal/sandbox"
)

// disk is a run of flytt whose system calls fail as strace is told.
type disk struct {
	t     *testing.T
	flytt string
	dir   string
	env   []string
	box   *sandbox.Sandbox
}

const diskRows = 600

func newDisk(t *testing.T, flytt string) *disk {
	t.Helper()
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(box)
	t.Cleanup(func() {
		server.Close()
		_ = box.Close()
	})
	d := &disk{t: t, flytt: flytt, dir: t.TempDir(), box: box}
	writeRegister(t, d.dir, diskRows)
	d.env = append(os.Environ(), "FLYTT_BASE_URL="+server.URL, "FLYTT_KEY_DIR="+filepath.Join(d.dir, "key"))
	for _, name := range credentialNames {
		d.env = append(d.env, name+"="+sandbox.DefaultCredential)
	}
	return d
}

// needStrace skips the test, with a message, where calls cannot be made to fail.
func needStrace(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("SKIPPED: strace is not installed, without which a disk cannot be made to fail")
	}
	if out, err := exec.CommandContext(t.Context(), "strace", "-o", "/dev/null", "true").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: strace may not trace here: %s", out)
	}
}

// execute runs flytt with args, under strace if inject is not empty, and returns its
// exit code and what it printed. Inject is what strace is told; behind a path and a
// blank, of what is done to the file there alone.
func (d *disk) run(inject string, args ...string) (code int, output string) {
	d.t.Helper()
	command := append([]string{d.flytt}, args...)
	if inject != "" {
		trace := []string{"strace", "-f", "-q", "-o", filepath.Join(d.dir, "trace")}
		if file, rest, ok := strings.Cut(inject, " "); ok {
			trace, inject = append(trace, "-P", filepath.Join(d.dir, file)), rest
		}
		calls, _, _ := strings.Cut(inject, ":")
		command = slices.Concat(trace, []string{"-e", "trace=" + calls, "-e", "inject=" + inject}, command)
	}
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir, cmd.Env = d.dir, d.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return exitStatus(cmd.Run()), out.String()
}

// checkOnce fails the test unless the API has every row, once.
func (d *disk) checkOnce() {
	d.t.Helper()
	ids := idsOf(d.t, d.box)
	for _, of := range ids {
		if len(of) != 1 {
			d.t.Errorf("a row is there %d times", len(of))
		}
	}
	if len(ids) != diskRows {
		d.t.Errorf("the API has %d of %d rows", len(ids), diskRows)
	}
}

// TestFault08Disk has the disk fail under the journal, and under the files beside
// it: nothing is sent that was not noted first, the run says what failed, and is
// resumed once there is space. Chunks go one by one, so that each is a commit
// of its own however busy the machine is.
func TestFault08Disk(t *testing.T) {
	needStrace(t)
	flytt := buildFlytt(t)
	for _, fault := range []string{
		"fsync,fdatasync:error=EIO:when=4+",
		"fsync,fdatasync:error=EIO:when=9+",
		"pwrite64:error=ENOSPC:when=30+",
		"pwrite64:error=EIO:when=45+",
		"run/written.csv write:error=ENOSPC:when=2+",
	} {
		t.Run(fault, func(t *testing.T) {
			d := newDisk(t, flytt)
			code, output := d.run(fault, "import", "in.csv", "-m", "mapping.yaml", "--run-dir", "run", "--chunk-rows", "20", "--concurrency", "1", "--settle", "200ms", "--no-progress")
			if code != exitFatal {
				t.Fatalf("exit code %d, want %d:\n%s", code, exitFatal, output)
			}
			if !strings.Contains(output, "no space left on device") && !strings.Contains(output, "input/output error") && !strings.Contains(output, "disk") {
				t.Errorf("what failed is not said:\n%s", output)
			}
			if len(idsOf(d.t, d.box)) == diskRows {
				t.Errorf("all rows were sent although the disk failed")
			}
			args := []string{"resume", "run", "--settle", "200ms"}
			if _, err := os.Stat(filepath.Join(d.dir, "run", "journal.db")); err != nil {
				if len(idsOf(d.t, d.box)) > 0 {
					t.Fatal("rows were sent without a journal")
				}
				args = []string{"import", "in.csv", "-m", "mapping.yaml", "--run-dir", "again"}
			}
			if code, output := d.run("", args...); code != exitDone {
				t.Fatalf("exit code %d of %s:\n%s", code, args, output)
			}
			d.checkOnce()
		})
	}
}

// TestFault09Rename has the last step of a file fail: the one that was there stays
// as it was, and nothing is left beside it.
func TestFault09Rename(t *testing.T) {
	needStrace(t)
	d := newDisk(t, buildFlytt(t))
	const old = "what was there\n"
	if err := os.WriteFile(filepath.Join(d.dir, "out.jsonl"), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, fault := range []string{"EXDEV", "ENOENT", "EACCES"} {
		code, output := d.run("rename,renameat,renameat2,linkat:error="+fault, "convert", "in.csv", "-m", "mapping.yaml", "-o", "out.jsonl", "--overwrite", "--run-dir", "run-"+fault)
		if code != exitFatal || !strings.Contains(output, "out.jsonl") {
			t.Errorf("%s: exit code %d:\n%s", fault, code, output)
		}
		if data, err := os.ReadFile(filepath.Join(d.dir, "out.jsonl")); err != nil || string(data) != old {
			t.Errorf("%s: the old file is not what it was (%v)", fault, err)
		}
		if left, _ := filepath.Glob(filepath.Join(d.dir, ".flytt-*")); len(left) > 0 {
			t.Errorf("%s: %s is left", fault, left)
		}
	}
}
