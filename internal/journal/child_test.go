package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"flytt/pipeline"
)

// childVariable tells the test binary to be a process that uses a journal: what
// it does, a colon, and the path.
const childVariable = "FLYTT_JOURNAL_CHILD"

// child is such a process.
func child() {
	what, path, _ := strings.Cut(os.Getenv(childVariable), ":")
	run := map[string]func(string) error{"write": childWrites, "hold": childHolds}[what]
	if err := run(path); err != nil {
		fmt.Println("error", err)
		os.Exit(3)
	}
}

// childChunks is how many chunks childWrites writes.
const childChunks = 12

// childWrites makes a journal, or resumes one, and says on stdout what it was
// told is durable.
func childWrites(path string) error {
	j, err := Open(path, testKey())
	if errors.Is(err, os.ErrNotExist) {
		j, err = Create(path, testHeader(), testKey())
	}
	if err != nil {
		return err
	}
	if err := oftenCheckpointed(j); err != nil {
		return errors.Join(err, j.Close())
	}
	for seq := range int64(childChunks) {
		if err := childChunk(j, seq); err != nil {
			return errors.Join(err, j.Close())
		}
	}
	return j.Close()
}

// oftenCheckpointed has the log moved into the database, and begun anew, after
// some pages.
func oftenCheckpointed(j *Journal) error {
	return j.read("", -1, func(s *store) error { return s.exec("pragma wal_autocheckpoint(10)") })
}

// childChunk sends and settles a chunk that is not yet.
func childChunk(j *Journal, seq int64) error {
	e, err := j.Find(seq)
	if err != nil || e != nil && e.State != Planned {
		return err
	}
	if err := j.Plan(chunkOf(seq, 4)); err != nil {
		return err
	}
	if err := j.Sending(seq, []int32{0, 2}, []byte("image")); err != nil {
		return err
	}
	fmt.Println("sent", seq)
	time.Sleep(time.Millisecond)
	return j.Settle(seq, settlementOf(seq, 4))
}

// childHolds opens a journal until stdin ends.
func childHolds(path string) error {
	j, err := Open(path, testKey())
	if err != nil {
		return err
	}
	fmt.Println("open")
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, j.Close())
}

// childCommand returns the command that starts such a process, under strace if
// that is told what to inject.
func childCommand(t *testing.T, what, path string, inject ...string) *exec.Cmd {
	t.Helper()
	args := []string{os.Args[0]}
	if len(inject) > 0 {
		args = append(inject, args...)
	}
	c := exec.Command(args[0], args[1:]...)
	c.Env = append(os.Environ(), childVariable+"="+what+":"+path, "GOMAXPROCS=1")
	return c
}

// needStrace skips the test, and says why, where strace cannot be used.
func needStrace(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed: no faults of the disk are injected")
	}
	if out, err := exec.Command("strace", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: no faults of the disk are injected: %v: %s", err, out)
	}
}

// calls are the system calls that faults are injected into: those with which
// SQLite writes and syncs.
const syncs, writes = "fsync,fdatasync", "pwrite64"

// Every sync and write fails, one in each run: the run ends with an error that
// names the journal, or nothing of what it was to do is missing; and what was
// said to be durable is there.
func TestFault08DiskFails(t *testing.T) {
	needStrace(t)
	for name, test := range map[string][2]string{
		"sync, EIO":     {syncs, "error=EIO"},
		"write, EIO":    {writes, "error=EIO"},
		"write, ENOSPC": {writes, "error=ENOSPC"},
		"sync, ENOSPC":  {syncs, "error=ENOSPC"},
	} {
		t.Run(name, func(t *testing.T) {
			failed := injectAll(t, test[0], test[1], func(t *testing.T, path string, out string, err error) {
				if err != nil && !strings.Contains(out, "error journal "+path) {
					t.Errorf("%v: %s", err, out)
				}
				if err == nil && strings.Contains(out, "error") {
					t.Errorf("no failure: %s", out)
				}
				checkSent(t, path, out, err == nil)
			})
			if failed == 0 {
				t.Error("nothing was injected")
			}
		})
	}
}

// The process dies at every sync, and another goes on.
func TestFault08KilledAtSync(t *testing.T) {
	needStrace(t)
	for name, calls := range map[string]string{"sync": syncs, "write": writes} {
		t.Run(name, func(t *testing.T) {
			killed := injectAll(t, calls, "signal=SIGKILL", func(t *testing.T, path string, out string, err error) {
				if err == nil {
					t.Errorf("not killed: %s", out)
				}
				checkSent(t, path, out, false)
				again, err := childCommand(t, "write", path).CombinedOutput()
				if err != nil {
					t.Fatalf("going on: %v: %s", err, again)
				}
				checkSent(t, path, out+string(again), false)
			})
			if killed == 0 {
				t.Error("nothing was injected")
			}
		})
	}
}

var (
	writeCall = regexp.MustCompile(`pwrite64\(\d+<([^>]+)>`)
	syncCall  = regexp.MustCompile(`(?:fsync|fdatasync)\(\d+<([^>]+)>`)
)

// When Sending returns, nothing that was written is unsynced, of the log above
// all: a process that dies does not show it.
func TestFault08SentMeansSynced(t *testing.T) {
	needStrace(t)
	dir := t.TempDir()
	path, trace := filepath.Join(dir, "journal.db"), filepath.Join(dir, "trace")
	c := childCommand(t, "write", path, "strace", "-f", "-y", "-qq", "-o", trace, "-e", "trace=write,"+syncs+","+writes)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	calls, err := os.ReadFile(trace)
	must(t, err)
	unsynced, written, sent := map[string]bool{}, 0, 0
	for line := range strings.Lines(string(calls)) {
		if m := writeCall.FindStringSubmatch(line); m != nil {
			unsynced[m[1]] = true
			written++
		}
		if m := syncCall.FindStringSubmatch(line); m != nil {
			delete(unsynced, m[1])
		}
		if strings.Contains(line, `"sent `) {
			sent++
			if unsynced[path+walSuffix] {
				t.Errorf("said that it is durable before the log was synced: %s", line)
			}
		}
	}
	if sent != childChunks || written < sent {
		t.Errorf("%d chunks sent, %d writes seen", sent, written)
	}
}

// injectAll runs the writing process with the fault at the first of calls, the
// second, and so on, until there are no more. A thread counts its own.
func injectAll(t *testing.T, calls, fault string, check func(t *testing.T, path, out string, err error)) (injected int) {
	step := 1
	if calls == writes {
		step = 7 // several go with each sync
	}
	if raceDetector {
		step *= 5
	}
	for n := 1; n < 150; n += step {
		dir := t.TempDir()
		path, trace := filepath.Join(dir, "journal.db"), filepath.Join(dir, "trace")
		c := childCommand(t, "write", path, "strace", "-f", "-qq", "-o", trace,
			"-e", "trace="+calls, "-e", fmt.Sprintf("inject=%s:%s:when=%d", calls, fault, n))
		out, err := c.CombinedOutput()
		traced, readErr := os.ReadFile(trace)
		must(t, readErr)
		if !strings.Contains(string(traced), "INJECTED") && !strings.Contains(string(traced), "killed by SIGKILL") {
			if err != nil {
				t.Errorf("nothing injected: %v: %s", err, out)
			}
			return injected
		}
		injected++
		check(t, path, string(out), err)
		if t.Failed() {
			t.Fatalf("at call %d", n)
		}
	}
	return injected
}

var sentLine = regexp.MustCompile(`(?m)^sent (\d+)$`)

// checkSent opens the journal and looks for what was said to be durable: it is
// sending, or has gone on. If all is to be there, that is every chunk.
func checkSent(t *testing.T, path, out string, all bool) {
	t.Helper()
	sent := map[int64]bool{}
	for _, m := range sentLine.FindAllStringSubmatch(out, -1) {
		var seq int64
		_, err := fmt.Sscan(m[1], &seq)
		must(t, err)
		sent[seq] = true
	}
	j, err := Open(path, testKey())
	if errors.Is(err, os.ErrNotExist) && len(sent) == 0 {
		return
	}
	must(t, err)
	n := 0
	for e, err := range j.Entries {
		must(t, err)
		n++
		images, err := j.BeforeImages(e.Seq)
		must(t, err)
		if e.State >= Sending && (len(images) == 0 || string(images[0].Data) != "image") {
			t.Errorf("chunk %d: %d images, or not as given", e.Seq, len(images))
		}
		switch {
		case e.State == Settled && e.Fates[0] == pipeline.Written:
		case e.State == Sending && len(e.Sent) == 2 && e.Sent[1] == 2:
		case e.State == Planned && !sent[e.Seq]:
		default:
			t.Errorf("chunk %d, sent: %v: %+v", e.Seq, sent[e.Seq], tell(e))
		}
		delete(sent, e.Seq)
	}
	if len(sent) > 0 || all && n != childChunks {
		t.Errorf("%d chunks, and missing: %v", n, sent)
	}
	must(t, j.Close())
}

// The second process is refused with the number of the first, for as long as that
// lives, however it dies.
func TestFault21TwoProcesses(t *testing.T) {
	j, path := newJournal(t)
	must(t, j.Close())
	c := childCommand(t, "hold", path)
	out, err := c.StdoutPipe()
	must(t, err)
	_, err = c.StdinPipe()
	must(t, err)
	must(t, c.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "open\n" {
		t.Fatalf("%s, %v", line, err)
	}
	for name, open := range openers {
		_, err := open(path, testKey())
		locked, ok := errors.AsType[*LockedError](err)
		if !ok || locked.PID != c.Process.Pid || !strings.Contains(err.Error(), fmt.Sprint(c.Process.Pid)) || hintIn(err) == "" {
			t.Errorf("%s: %v, want one that names %d", name, err, c.Process.Pid)
		}
	}
	must(t, c.Process.Kill())
	_ = c.Wait() // it was killed
	j, err = Open(path, testKey())
	must(t, err)
	if _, err := Read(path, testKey()); err == nil || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("read while this process writes: %v", err)
	}
	must(t, j.Close())
}
