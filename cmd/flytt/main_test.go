package main

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if signal.Ignored(syscall.SIGHUP) { // under nohup programs would inherit that, and not end with their terminal
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	testscript.Main(m, map[string]func(){"flytt": main})
}

// TestScripts runs the scripts in testdata, one for each topic. In them flytt is
// this program, in a process of its own; the commands below are theirs, too:
//
//	exits CODE PROGRAM ARG…          run it; it has to exit with CODE
//	interrupted CODE WHEN SIGNALS PROGRAM ARG…
//	                                 run it, and send it SIGNALS (INT,TERM) once the API has got
//	                                 WHEN writes, a file that WHEN matches is there, or it has
//	                                 said what follows says: in WHEN; it has to exit with CODE
//	                                 (-: any); see stdout.txt and stderr.txt
//	json FILE [PATH VALUE]           FILE is one JSON object, and what is at PATH (rows.read,
//	                                 rejects.0.code) is VALUE; with !: there is nothing at PATH
//	balanced FILE                    the summary in FILE accounts for every row it read
//	mode FILE PERM                   the permissions of FILE are PERM
//	rows N FILE [WIDTH]              write a register of N good rows, with a note WIDTH bytes wide
//	recode ENCODING FROM TO          write a UTF-8 file in another encoding
//	gz FROM TO                       compress
//	lastline FILE TEXT               the last line of FILE, blanks around it aside, is TEXT
//	replace FILE OLD NEW             put NEW for OLD in FILE, which has to be there
//	same FILE FILE                   the files hold the same bytes
//	idof FILE NAME                   set the variable NAME to the id of the record in FILE
//	api [FAULT=N…]                   start an API for this script and point the settings to it
//	heal                             end its faults
//	holds N                          it has N records, and each its own key
//	fault WHO:WHEN:WHAT…             have that API suffer faults, as sandbox.ParseFault reads them
//	delete-rows N                    delete the first N records it has
//	rm-temporary                     remove what a killed export left: exactly one file
//	sha256 FILE MANIFEST             the manifest has the sum and the size of the file
//	gunzip FROM TO                   decompress
//	patches N                        the APIs of the script got N changes of records in all
//	posts N, stored N, elsewhere N   how many writes it got, rows it keeps, requests the place it
//	                                 redirects to got
func TestScripts(t *testing.T) {
	p := scripts()
	p.Dir = "testdata"
	testscript.Run(t, p)
}

// Each script in testdata/faults is a scenario of the table in the documentation
// of internal/journal.
func TestFault11Random(t *testing.T)              { faultScript(t, "11_random") }
func TestFault12Down(t *testing.T)                { faultScript(t, "12_down") }
func TestFault13Expired(t *testing.T)             { faultScript(t, "13_expired") }
func TestFault20Interrupted(t *testing.T)         { faultScript(t, "20_interrupted") }
func TestFault21TwoProcesses(t *testing.T)        { faultScript(t, "21_two_processes") }
func TestFault22Changed(t *testing.T)             { faultScript(t, "22_changed") }
func TestFault34Secrets(t *testing.T)             { faultScript(t, "34_secrets") }
func TestFault40KeysStoredOtherwise(t *testing.T) { faultScript(t, "40_keys_stored_otherwise") }
func TestFault41LostAnswerOtherKey(t *testing.T)  { faultScript(t, "41_lost_answer_other_key") }
func TestFault42OwnRecord(t *testing.T)           { faultScript(t, "42_own_record") }
func TestFault43UndoVerify(t *testing.T)          { faultScript(t, "43_undo_verify") }
func TestFault44KeyForm(t *testing.T)             { faultScript(t, "44_key_form") }
func TestFault45Locks(t *testing.T)               { faultScript(t, "45_locks") }
func TestFault46ItemErrors(t *testing.T)          { faultScript(t, "46_item_errors") }
func TestFault47ErrorIndex(t *testing.T)          { faultScript(t, "47_error_index") }
func TestFault49PartialAnswers(t *testing.T)      { faultScript(t, "49_partial_answers") }
func TestFault50Moved(t *testing.T)               { faultScript(t, "50_moved") }
func TestFault51Busy403(t *testing.T)             { faultScript(t, "51_busy_403") }

func faultScript(t *testing.T, name string) {
	p := scripts()
	p.Files = []string{filepath.Join("testdata", "faults", name+".txtar")}
	testscript.Run(t, p)
}

// scripts says what every script finds.
func scripts() testscript.Params {
	return testscript.Params{
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Values[apiKey{}] = &fakeAPI{}
			env.Setenv("FLYTT_KEY_DIR", filepath.Join(env.WorkDir, ".key"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":        exits,
			"interrupted":  interrupted,
			"json":         checkJSON,
			"balanced":     balanced,
			"mode":         mode,
			"rows":         rows,
			"recode":       recode,
			"gz":           gz,
			"lastline":     lastLine,
			"replace":      replace,
			"same":         same,
			"idof":         idOf,
			"api":          startAPI,
			"fault":        injectFaults,
			"delete-rows":  deleteRows,
			"heal":         heal,
			"holds":        storesRecords,
			"rm-temporary": removeTemporary,
			"sha256":       checkSum,
			"gunzip":       gunzip,
			"posts":        countOf(func(a *fakeAPI) int64 { return a.posts.Load() }),
			"patches":      countOf(func(a *fakeAPI) int64 { return a.patches.Load() }),
			"stored":       countOf(func(a *fakeAPI) int64 { return a.stored.Load() }),
			"elsewhere":    countOf(func(a *fakeAPI) int64 { return a.elsewhere.Load() }),
		},
	}
}
