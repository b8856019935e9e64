package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The soak holds the promise against everything at once: a register is imported
// by one process into an API that another process serves, that stores rows in forms
// of its own, answers in a way of its own, and fails in every way it knows (see
// soak_draw_test.go). The importer is killed, at any moment or at a chosen point of
// its journal, and resumed, again and again. In the end the API has each valid row
// exactly once, the rejects are exactly the others, and the account and its warnings
// say so (see soak_oracle_test.go); a verification finds nothing, and an undo leaves
// nothing behind.
//
// FLYTT_SOAK_KILLS says how many kills there are (20), FLYTT_SOAK_SEED where the
// dice begin. Both processes are built without the race detector.

const (
	soakRows   = 1200
	soakChunk  = 40
	soakSettle = 500 * time.Millisecond
)

// soakPoints are the points of the journal at which a process can be told to die.
var soakPoints = []string{"planned", "sending", "sent", "settle", "settled"}

func TestFault06Kills(t *testing.T) {
	soakAll(t, soakSetting(t, "FLYTT_SOAK_KILLS", 20), (*soak).kill)
}

// TestFault20Signals ends the importer as a person or a machine that shuts down
// does, at any moment: it has to end in order, and the run to be resumed.
func TestFault20Signals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("signals cannot be sent there")
	}
	soakAll(t, soakSetting(t, "FLYTT_SOAK_KILLS", 20)/2, (*soak).interrupt)
}

// soakAll runs campaigns until so many importers were ended by end.
func soakAll(t *testing.T, ends int, end func(*soak, *exec.Cmd) func() func()) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	seed := soakSetting(t, "FLYTT_SOAK_SEED", 1)
	flytt := buildFlytt(t)
	for campaign, most := 0, 10+ends; ends > 0; campaign++ {
		if campaign == most {
			t.Fatalf("%d campaigns, and %d ends are left: the runs are over too soon", campaign, ends)
		}
		s := newSoak(t, flytt, uint64(seed+campaign), end)
		done := s.run(min(ends, 7))
		ends -= done
		t.Logf("%s: ended %d times; %d left", s, done, ends)
	}
}

func soakSetting(t *testing.T, name string, standard int) int {
	t.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv(name), strconv.Itoa(standard)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// buildFlytt builds the program as it is shipped, with the points of the journal
// at which it can be killed.
func buildFlytt(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flytt")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "failpoint", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// soak is one register on its way into one API.
type soak struct {
	t      *testing.T
	seed   uint64
	rng    *rand.Rand
	flytt  string
	dir    string
	api    []string // flags of the sandbox
	env    []string
	rows   []soakRow
	output bytes.Buffer // of the last process
	served bytes.Buffer // what the sandbox said

	// end prepares the end of an importer. Begin is called when it has started, and
	// stop when it is over.
	end func(s *soak, cmd *exec.Cmd) (begin func() (stop func()))
}

func newSoak(t *testing.T, flytt string, seed uint64, end func(*soak, *exec.Cmd) func() func()) *soak {
	s := &soak{t: t, end: end, seed: seed, rng: rand.New(rand.NewPCG(seed, 0)), flytt: flytt, dir: t.TempDir()}
	s.env = append(os.Environ(), "FLYTT_KEY_DIR="+filepath.Join(s.dir, "key"))
	s.drawRows()
	s.drawAPI()
	s.writeInput()
	return s
}

// String tells what was drawn.
func (s *soak) String() string { return fmt.Sprintf("seed %d: flytt sandbox %q", s.seed, s.api) }

func (s *soak) path(name string) string { return filepath.Join(s.dir, name) }

// serve starts the API and returns how to end it.
func (s *soak) serve() (stop func()) {
	args := append([]string{"sandbox", "--db", s.path("api.db"), "--addr", "127.0.0.1:0", "--strict-relations", "--related", "externalclient=" + s.path("clients.csv")}, s.api...)
	cmd := exec.CommandContext(s.t.Context(), s.flytt, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd.Stderr = &s.served
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	exported := 0
	for lines := bufio.NewScanner(out); exported < 8 && lines.Scan(); {
		if setting, ok := strings.CutPrefix(lines.Text(), "export "); ok {
			s.env = append(s.env, setting)
			exported++
		}
	}
	if exported < 8 {
		s.t.Fatal("the sandbox did not say where it is")
	}
	return func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			s.t.Errorf("sandbox: %v\n%s", err, &s.served)
		}
	}
}

// execute ends the importer up to so many times, lets it finish, and checks. It
// returns how often it was ended before it did so by itself.
func (s *soak) run(ends int) (done int) {
	stop := s.serve()
	for tries := 0; done < ends && tries < 5*ends; tries++ {
		ended, through := s.dies(s.next())
		if through {
			break
		}
		if ended {
			done++
		}
	}
	s.finish()
	records := s.records()
	s.check(records)
	s.lookBack(len(records))
	stop()
	return done
}

// next returns the arguments that begin the run, or resume it.
func (s *soak) next() []string {
	flags := []string{"--settle", soakSettle.String(), "--give-up-after", "20s", "--json", "--concurrency", strconv.Itoa(1 + s.rng.IntN(4))}
	if _, err := os.Stat(s.path("run/journal.db")); err == nil {
		return append([]string{"resume", "run"}, flags...)
	}
	if err := os.RemoveAll(s.path("run")); err != nil { // it died before it began
		s.t.Fatal(err)
	}
	return append([]string{"import", "in.csv", "-m", "mapping.yaml", "--run-dir", "run", "--chunk-rows", strconv.Itoa(soakChunk)}, flags...)
}

// dies runs flytt to be ended. It reports whether it was, and whether that came
// too late: the run is through.
func (s *soak) dies(args []string) (ended, through bool) {
	cmd := s.command(s.t.Context(), args)
	begin := s.end(s, cmd)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	stop := begin()
	code := exitStatus(cmd.Wait())
	stop()
	if code >= 0 {
		s.expect(code)
	}
	return code < 0 || code == exitInterrupted, code == exitRejects || code == exitDone
}

// kill has cmd die at a point of its journal, or some time after it started.
func (s *soak) kill(cmd *exec.Cmd) (begin func() (stop func())) {
	if s.rng.IntN(2) == 0 {
		point := soakPoints[s.rng.IntN(len(soakPoints))]
		cmd.Env = append(cmd.Env, fmt.Sprintf("FLYTT_FAILPOINT=%s:%d", point, 1+s.rng.IntN(soakRows/soakChunk)))
		return func() func() { return func() {} }
	}
	return s.later(cmd, os.Kill)
}

// interrupt sends cmd one signal or two, some time after it started.
func (s *soak) interrupt(cmd *exec.Cmd) (begin func() (stop func())) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
	first := s.later(cmd, signals[s.rng.IntN(len(signals))])
	if s.rng.IntN(2) == 0 {
		return first
	}
	second := s.later(cmd, os.Interrupt)
	return func() func() {
		stopFirst, stopSecond := first(), second()
		return func() { stopFirst(); stopSecond() }
	}
}

// later sends cmd a signal within the first second.
func (s *soak) later(cmd *exec.Cmd, signal os.Signal) (begin func() (stop func())) {
	after := time.Duration(20+s.rng.IntN(900)) * time.Millisecond
	return func() func() {
		t := time.AfterFunc(after, func() { _ = cmd.Process.Signal(signal) })
		return func() { t.Stop() }
	}
}

// command is flytt in the folder of the soak.
func (s *soak) command(ctx context.Context, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.flytt, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	s.output.Reset()
	cmd.Stdout, cmd.Stderr = &s.output, &s.output
	return cmd
}

// expect fails the test unless a process ended as one may here.
func (s *soak) expect(code int) {
	switch code {
	case exitDone, exitRejects, exitUncertain, exitFatal, exitInterrupted:
	default:
		s.t.Fatalf("%s\nexit code %d:\n%s", s, code, &s.output)
	}
}

// finish resumes the run until it is through.
func (s *soak) finish() {
	for range 12 {
		code := exitStatus(s.command(s.t.Context(), s.next()).Run())
		if code == exitRejects {
			return
		}
		s.expect(code)
	}
	s.t.Fatalf("%s\nthe run does not come to an end:\n%s", s, &s.output)
}

// lookBack verifies the run, which finds nothing, and in half of the campaigns undoes it:
// of n records none is left.
func (s *soak) lookBack(n int) {
	s.succeeds("verify", "run")
	if s.seed%2 > 0 {
		return
	}
	s.succeeds("undo", "run", "--yes", "--settle", soakSettle.String())
	if left := len(s.records()); left > 0 {
		s.t.Fatalf("%s\nundo leaves %d of %d records:\n%s", s, left, n, &s.output)
	}
}

// succeeds runs flytt, again if the API's failures stopped it.
func (s *soak) succeeds(args ...string) {
	for range 6 {
		switch code := exitStatus(s.command(s.t.Context(), args).Run()); code {
		case exitDone:
			return
		case exitFatal, exitUncertain:
		default:
			s.t.Fatalf("%s\n%v: exit code %d:\n%s", s, args, code, &s.output)
		}
	}
	s.t.Fatalf("%s\n%v does not come to an end:\n%s", s, args, &s.output)
}

// table reads a CSV file, without its header.
func (s *soak) table(name string) [][]string {
	data, err := os.ReadFile(s.path(name))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		s.t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		s.t.Fatalf("%s: %v", name, err)
	}
	return slices.Delete(rows, 0, 1)
}
