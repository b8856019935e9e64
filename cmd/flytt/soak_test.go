package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
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

	"flytt/internal/sandbox"
	"flytt/pipeline"
)

// The soak holds the promise against everything at once: a register is imported
// by one process into an API that another process serves and that fails in every
// way it knows; the importer is killed, at any moment or at a chosen point of its
// journal, and gone on with, again and again. In the end the API has each valid
// row exactly once, the rejects are exactly the others, and the account says so.
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
// does, at any moment: it has to end in order, and the run to be gone on with.
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
		t.Logf("seed %d: ended %d times, %s; %d left", seed+campaign, done, s.faults, ends)
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
	rng    *rand.Rand
	flytt  string
	dir    string
	faults []string
	env    []string
	valid  map[string]bool // by key, whether the row can be written
	output bytes.Buffer    // of the last process
	served bytes.Buffer    // what the sandbox said

	// end prepares the end of an importer. Begin is called when it has started, and
	// stop when it is over.
	end func(s *soak, cmd *exec.Cmd) (begin func() (stop func()))
}

func newSoak(t *testing.T, flytt string, seed uint64, end func(*soak, *exec.Cmd) func() func()) *soak {
	s := &soak{t: t, end: end, rng: rand.New(rand.NewPCG(seed, 0)), flytt: flytt, dir: t.TempDir(), valid: map[string]bool{}}
	s.env = append(os.Environ(), "FLYTT_KEY_DIR="+filepath.Join(s.dir, "key"))
	s.writeInput()
	s.chooseFaults()
	return s
}

func (s *soak) path(name string) string { return filepath.Join(s.dir, name) }

const soakClient = "6f9a3c1e-0000-4000-8000-%012d"

// writeInput writes a register in which some rows break a rule, and some refer to
// a client that only the API knows not to exist.
func (s *soak) writeInput() {
	var rows, clients strings.Builder
	rows.WriteString("Nr,Namn,Titel,Kund,E-post\n")
	clients.WriteString("id\n")
	for i := range 7 {
		fmt.Fprintf(&clients, soakClient+"\n", i)
	}
	for i := range soakRows {
		key, client, email := fmt.Sprintf("S-%05d", i), i%7, fmt.Sprintf("p%d@example.se", i)
		s.valid[key] = true
		switch {
		case s.rng.IntN(23) == 0:
			email, s.valid[key] = "nobody", false
		case s.rng.IntN(61) == 0:
			client, s.valid[key] = 99, false
		}
		fmt.Fprintf(&rows, "%s,Person %d,Kontaktperson,"+soakClient+",%s\n", key, i, client, email)
	}
	const mapping = "resource: externalclientcontactperson\nfields: {custom_id: Nr, name: Namn, title: Titel, external_client.id: Kund, email: E-post}\n"
	for name, text := range map[string]string{"in.csv": rows.String(), "clients.csv": clients.String(), "mapping.yaml": mapping} {
		if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// soakFaults are what an API may suffer, each now and then.
var soakFaults = []string{
	"bulk:4%:reset", "bulk:5%:commit-then-reset", "bulk:3%:late-commit=150ms", "bulk:5%:429=0", "bulk:3%:503=date:1",
	"bulk:3%:500", "bulk:3%:commit-then-502", "bulk:3%:truncate", "bulk:2%:html", "bulk:2%:wrong-count=-3", "bulk:3%:slow=20000",
	"bulk:2%:commit-then-504", "bulk:2%:413=4000", "list:4%:503", "list:3%:truncate", "list:3%:reset",
}

// chooseFaults rolls the dice on what the API leaves open and what it suffers.
func (s *soak) chooseFaults() {
	pick := func(values ...string) string { return values[s.rng.IntN(len(values))] }
	s.faults = []string{"--bulk", pick("all", "partial"), "--errors", pick("aligned", "indexed", "listed", "keyed", "detail", "text"),
		"--answer-order", pick("sent", "reversed", "shuffled"), "--fault-seed", strconv.Itoa(s.rng.IntN(1000))}
	for _, f := range soakFaults {
		if s.rng.IntN(3) > 0 {
			s.faults = append(s.faults, "--fault", f)
		}
	}
}

// serve starts the API and returns how to end it.
func (s *soak) serve() (stop func()) {
	args := append([]string{"sandbox", "--db", s.path("api.db"), "--addr", "127.0.0.1:0", "--strict-relations", "--related", "externalclient=" + s.path("clients.csv")}, s.faults...)
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

// run ends the importer up to so many times, lets it finish, and checks. It
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
	stop()
	s.check()
	return done
}

// next returns the arguments that begin the run, or go on with it.
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
		s.t.Fatalf("%s\nexit code %d:\n%s", s.faults, code, &s.output)
	}
}

// finish goes on with the run until it is through.
func (s *soak) finish() {
	for range 12 {
		code := exitStatus(s.command(s.t.Context(), s.next()).Run())
		if code == exitRejects {
			return
		}
		s.expect(code)
	}
	s.t.Fatalf("%s\nthe run does not come to an end:\n%s", s.faults, &s.output)
}

// check holds the API, the files and the account against the register.
func (s *soak) check() {
	ids := s.stored()
	want := 0
	for key, valid := range s.valid {
		switch n := len(ids[key]); {
		case valid && n != 1:
			s.t.Errorf("a valid row is there %d times", n)
		case !valid && n != 0:
			s.t.Errorf("a row that breaks a rule is there %d times", n)
		}
		if valid {
			want++
		}
	}
	if len(ids) != want {
		s.t.Errorf("the API has %d keys, want %d", len(ids), want)
	}
	s.checkSummary(int64(want))
	s.checkRecords(ids)
	if s.t.Failed() {
		s.t.Fatalf("%s", s.faults)
	}
}

// stored returns the ids of the records that the API has, by their keys.
func (s *soak) stored() map[string][]string {
	box, err := sandbox.New(sandbox.Options{DB: s.path("api.db")})
	if err != nil {
		s.t.Fatal(err)
	}
	defer box.Close()
	return idsOf(s.t, box)
}

// idsOf returns the ids of the records that box has, by their keys.
func idsOf(t *testing.T, box *sandbox.Sandbox) map[string][]string {
	t.Helper()
	ids := map[string][]string{}
	for page := 1; ; page++ {
		r := httptest.NewRequest(http.MethodGet, fmt.Sprintf("/organization/externalclientcontactperson/list/?_page=%d&_page_size=1000&_order_by=id", page), nil)
		for _, name := range credentialNames {
			r.Header.Set("X-PIGELLO-"+strings.ReplaceAll(strings.TrimPrefix(name, "FLYTT_"), "_", "-"), sandbox.DefaultCredential)
		}
		w := httptest.NewRecorder()
		box.ServeHTTP(w, r)
		var records []struct {
			ID  string `json:"id"`
			Key string `json:"custom_id"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &records); err != nil {
			t.Fatalf("list: %d: %v", w.Code, err)
		}
		if len(records) == 0 {
			return ids
		}
		for _, record := range records {
			ids[record.Key] = append(ids[record.Key], record.ID)
		}
	}
}

func (s *soak) checkSummary(want int64) {
	data, err := os.ReadFile(s.path("run/summary.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	var summary struct {
		Rows     map[string]int64
		Balanced bool
	}
	if err := json.Unmarshal(data, &summary); err != nil {
		s.t.Fatal(err)
	}
	expected := map[string]int64{"read": soakRows, "written": want, "rejected": soakRows - want, "in_doubt": 0, "not_sent": 0, "skipped": 0, "unchanged": 0}
	got := maps.Clone(summary.Rows)
	maps.DeleteFunc(got, func(name string, _ int64) bool { _, known := expected[name]; return !known })
	if !maps.Equal(got, expected) || !summary.Balanced {
		s.t.Errorf("summary: %v, balanced %v; want %v", summary.Rows, summary.Balanced, expected)
	}
}

// checkRecords holds written.csv and rejects.csv against what the API has.
func (s *soak) checkRecords(ids map[string][]string) {
	written := map[string]string{}
	for _, row := range s.table("run/written.csv") {
		written[row[1]] = string(pipeline.UnguardCell([]byte(row[2]))) // an id such as 98582535-943e-… reads as a number
	}
	for key, id := range ids {
		if written[key] != id[0] {
			s.t.Errorf("written.csv has another id for a row")
		}
	}
	if len(written) != len(ids) {
		s.t.Errorf("written.csv has %d rows, the API %d", len(written), len(ids))
	}
	for _, row := range s.table("run/rejects.csv") {
		if s.valid[row[0]] {
			s.t.Errorf("a valid row stands in rejects.csv: %s", row[len(row)-1])
		}
	}
	if n, want := len(s.table("run/rejects.csv")), soakRows-len(ids); n != want {
		s.t.Errorf("rejects.csv has %d rows, want %d", n, want)
	}
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
