package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"flytt/internal/dedup"
	"flytt/internal/osfile"
	"flytt/internal/record"
	"flytt/internal/report"
	"flytt/internal/run"
	"flytt/internal/text"
	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sinks"
	"flytt/sinks/bulk"
	"flytt/sinks/recorder"
	"flytt/sources"
)

// finish closes the files of the run, writes the summary, and says how the run
// ended and what to do next.
func (j *job) finish(result *pipeline.Report, recorder *recorder.Recorder, err error) error {
	err = errors.Join(err, recorder.Close())
	err = errors.Join(err, j.endJournal(err))
	s := j.summary
	s.SetResult(result, time.Since(j.started))
	j.foretell(recorder)
	if j.info != nil && j.info.CellName != nil {
		s.NamePlaces(j.place)
	}
	if errors.Is(err, pipeline.ErrMaxRejects) {
		err = fmt.Errorf("%w: %s of %s read, and --max-rejects is %s", err, text.Number(s.Rows.Rejected), text.Number(s.Rows.Read), j.flags.maxRejects)
	}
	s.Target = j.host
	if j.writing != nil {
		s.Parent = j.writing.parent
	}
	if !s.Balanced {
		err = errors.Join(err, errors.New("the numbers of the run do not add up, which is a fault in flytt"))
	}
	s.Files = recorder.Files()
	err = errors.Join(err, j.finishBackups())
	for _, name := range []string{"mapping.yaml", "log.jsonl", "summary.json"} {
		if name != "mapping.yaml" || j.mapping != nil {
			s.Files[strings.TrimSuffix(name, filepath.Ext(name))] = j.dir.File(name)
		}
	}
	if j.output != "" && j.output != "-" && err == nil {
		s.Files["output"] = j.output
	}
	maps.Copy(s.Files, j.files)
	if j.verb == "plan" && err == nil {
		err = errors.Join(j.writePlan(), j.provedAll())
	}
	s.Exit = runExit(err, s.Rows)
	next := j.next(err)
	s.Next = next.command
	if err != nil {
		s.Error = failure(err, next)
		j.log.Debug("run failed", "error", s.Error.Message)
	}
	j.log.Debug("run ends", "exit", s.Exit, "read", s.Rows.Read, "valid", s.Rows.Valid, "written", s.Rows.Written,
		"skipped", s.Rows.Skipped, "rejected", s.Rows.Rejected, "in_doubt", s.Rows.InDoubt, "not_sent", s.Rows.NotSent)
	saveErr := errors.Join(j.save(), j.dir.Close())
	if err = errors.Join(err, saveErr); saveErr != nil {
		s.Exit, s.Error = exitFatal, failure(err, next)
	}
	if showErr := j.show(next); showErr != nil {
		err = errors.Join(err, showErr)
		s.Exit = exitFatal
	}
	j.code = s.Exit
	if err != nil {
		return &shownError{err, s.Exit}
	}
	return nil
}

func failure(err error, next step) *report.Failure {
	message, hint := split(err)
	return &report.Failure{Message: message, Hint: hint, Next: next.command}
}

// save writes summary.json.
func (j *job) save() error {
	data, err := j.summary.JSON()
	if err != nil {
		return err
	}
	if err := j.dir.Replace("summary.json", data); err != nil {
		return fmt.Errorf("summary of the run: %w", err)
	}
	return nil
}

// show prints the summary on stdout, or on stderr where stdout carries the rows,
// and the error and the next command on stderr. A reader of stdout that went away is
// told of, and no failure of the run.
func (j *job) show(next step) error {
	s := j.summary
	err := j.print()
	if err != nil {
		state := "complete"
		if s.Error != nil {
			state = "over"
		}
		j.say("\nflytt: %v; the run is %s, and its summary is %s\n", err, state, shorten(j.dir.File("summary.json")))
	}
	if s.Error != nil {
		j.say("\n")
		j.tell(s.Error.Message, s.Error.Hint)
	}
	if next.command != "" && (s.Error != nil || !j.flags.quiet && !j.flags.json) {
		j.sayNext(next)
	}
	if readerGone(err) {
		return nil
	}
	return err
}

// print prints the summary, unless nothing is to be said.
func (j *job) print() error {
	switch {
	case j.flags.json:
		data, err := j.summary.JSON()
		if err != nil {
			return err
		}
		_, err = j.stdout.Write(data)
		return stdoutError(err)
	case j.flags.quiet:
		return nil
	case j.output == "-":
		_ = j.summary.Print(j.stderr, meaning) // nothing can be done about it
		return nil
	}
	return stdoutError(j.summary.Print(j.stdout, meaning))
}

// errReaderGone says that whoever read stdout has had enough.
var errReaderGone = errors.New("broken pipe")

func readerGone(err error) bool { return errors.Is(err, errReaderGone) }

func stdoutError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPIPE):
		return fmt.Errorf("stdout: %w", errReaderGone)
	}
	return fmt.Errorf("stdout: %w", osfile.Cause(err))
}

// step is what to do next: the command, and what to do before it.
type step struct {
	before  string // a sentence without a full stop, or empty
	command string
}

// sayNext prints what to do and the command for it, which is the last line.
func (a *app) sayNext(s step) {
	if s.before != "" {
		a.say("\nnext: %s, then\n", s.before)
	} else {
		a.say("\nnext:\n")
	}
	a.say("  %s\n", s.command)
}

// next returns what to do next; its command is empty where nothing is left.
func (j *job) next(err error) step {
	rows, rejects := j.summary.Rows, j.summary.Files["rejects"]
	switch {
	case j.verb == "plan":
		return j.nextOfPlan(err)
	case j.verb == "verify":
		return j.nextOfVerify(err)
	case j.verb == "undo" && err == nil && rows.InDoubt == 0:
		return step{}
	case j.writing != nil && (err != nil || rows.InDoubt > 0):
		return j.nextOfWriting(err)
	case j.verb == "export" && err != nil && j.files["output"] != "" && !j.overwrites():
		return step{command: j.again() + " --overwrite"} // what was written is there
	case errors.Is(err, pipeline.ErrMaxRejects):
		return step{"see the reasons in rejects.csv, and mend the mapping or " + j.file, j.again()}
	case errors.Is(err, sources.ErrChanged):
		return step{leaveAlone(j.file), j.again()}
	case unreadable(err):
		return step{"mend " + j.file + " at that place", j.again()}
	case err != nil:
		return step{command: j.again()}
	case rows.Read == 0, j.verb == "export":
		return step{}
	case rejects != "" && j.verb == "validate":
		return step{"mend the rows that rejects.csv names in " + j.file, j.again()}
	case rejects != "" && j.writing != nil:
		return step{j.fixRejects(), join([]string{"flytt", "retry", j.runName(), shorten(rejects)})}
	case rejects != "":
		return step{"mend the rows in rejects.csv", join(append([]string{"flytt", j.verb}, j.mended(rejects)...))}
	case j.verb == "validate":
		return step{command: join(append([]string{"flytt", "import", j.file}, j.carried(meaningFlags, inputFlags, targetFlags)...))}
	}
	return step{}
}

// nextOfWriting returns what to do after a run that wrote to the API and did not
// get through, or left rows in doubt.
func (j *job) nextOfWriting(err error) step {
	rows := &j.summary.Rows
	resume := j.resume(j.runName())
	switch {
	case errors.Is(err, sources.ErrChanged) && rows.Written+rows.InDoubt == 0:
		return step{leaveAlone(j.file), j.again()}
	case errors.Is(err, sources.ErrChanged):
		return step{"put " + j.file + " back as it was", resume}
	case err != nil && rows.Written+rows.InDoubt == 0 && (unreadable(err) || errors.Is(err, pipeline.ErrMaxRejects)):
		return j.nextAnew("mend the mapping or " + j.file)
	case errors.Is(err, pipeline.ErrMaxRejects):
		return step{"see the reasons in rejects.csv; to go on all the same, allow more of them", resume + " --max-rejects 100%"}
	case errors.Is(err, bulk.ErrMostRefused) && rows.Written+rows.InDoubt == 0:
		return j.nextAnew("mend the mapping, " + j.file + " or the permissions, as the reasons in rejects.csv have it")
	case err == nil && j.verb == "undo" && !j.writing.bulk.Resolvable() && j.parentSettles():
		return j.nextOfDoubtful()
	case err == nil && !j.writing.bulk.Resolvable():
		return step{"compare the rows in in_doubt.csv with the API by hand: they have no key of their own to be looked up by, which --stamp would give them",
			join([]string{"flytt", "runs", "show", j.runName()})}
	case err == nil:
		return step{"see in log.jsonl why they cannot be told", resume}
	case unreadable(err):
		return step{"mend " + j.file + " at that place; what was read before it is in the API", j.again() + " --skip-existing"}
	}
	return step{command: resume}
}

// leaveAlone is what to do about an input that changed while it was read.
func leaveAlone(file string) string { return "see that nothing writes to " + file }

// nextAnew returns what to do after a run that wrote nothing: once it is mended the
// input is for a run of its own, for this one holds to what it read. A retry is not
// begun again before it was gone on with.
func (j *job) nextAnew(mend string) step {
	switch {
	case j.verb == "retry":
		return step{"see the reasons in rejects.csv; to go on all the same, allow more of them", j.resume(j.runName(), "--max-rejects", "100%")}
	case j.recorded != nil && j.verb == "import":
		return step{mend, commandText(j.recorded.Command(j.verb))}
	case j.recorded != nil && j.verb == "apply":
		return step{mend, commandText(j.recorded.Command("plan"))}
	}
	return step{mend, j.again()}
}

// runName is what verbs call the run by.
func (j *job) runName() string { return j.nameOfRun(j.dir.Path) }

// overwrites reports whether --overwrite was given.
func (j *job) overwrites() bool {
	f := j.flags.verb.Flags().Lookup("overwrite")
	return f != nil && f.Changed
}

// typed is the command as it was typed.
func (a *app) typed() string { return join(append([]string{"flytt"}, a.args...)) }

// again is the command as it was typed; a run directory cannot be used twice.
func (a *app) again() string {
	args := []string{"flytt"}
	for i := 0; i < len(a.args); i++ {
		switch {
		case a.args[i] == "--run-dir":
			i++
		case strings.HasPrefix(a.args[i], "--run-dir="):
		default:
			args = append(args, a.args[i])
		}
	}
	return join(args)
}

// The flags that a next command needs, too: those that say what the rows mean,
// how the input is written, where the rows go and how.
var (
	meaningFlags = []string{"mapping", "resource", "profile", "mode", "key", "skip-existing", "write-nulls", "duplicates"}
	inputFlags   = []string{"encoding", "delimiter", "header-row", "sheet", "skip-hidden"}
	targetFlags  = []string{"max-rejects", "sandbox", "base-url", "chunk-rows", "concurrency", "rate", "yes", "format", "excel", "nulls"}
)

// unreadable reports whether err is about the input itself.
func unreadable(err error) bool {
	var source *sources.Error
	return errors.As(err, &source)
}

// carried returns those of the named flags that were given, as arguments.
func (j *job) carried(lists ...[]string) []string {
	var args []string
	for _, name := range slices.Concat(lists...) {
		f := j.flags.verb.Flags().Lookup(name)
		if f == nil || !f.Changed {
			continue
		}
		flag := "--" + name
		if f.Shorthand != "" {
			flag = "-" + f.Shorthand
		}
		switch {
		case f.Value.Type() != "bool":
			args = append(args, flag, f.Value.String())
		case f.Value.String() == "true":
			args = append(args, flag)
		}
	}
	return args
}

// mended returns the arguments of the same verb for the rejects file, which
// needs no flags of the input: it is in a dialect of its own.
func (j *job) mended(file string) []string {
	args := append([]string{shorten(file)}, j.carried(meaningFlags, targetFlags)...)
	switch {
	case j.verb != "convert":
		return args
	case j.output == "-":
		return append(args, "-o", "-")
	}
	return append(args, "-o", "mended"+filepath.Ext(j.output))
}

// shorten returns path relative to the working directory where that is shorter.
func shorten(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(wd, path)
	if err == nil && strings.HasPrefix(rel, "-") {
		rel = "." + string(filepath.Separator) + rel // or it would be taken for a flag
	}
	if err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}

// join returns args as a command line for a shell.
func join(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = quote(a)
	}
	return strings.Join(quoted, " ")
}

// quote returns s as a shell wants it.
func quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,%+@åäöÅÄÖ", r)
	}
	if s != "" && strings.TrimFunc(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// codeTables returns the tables of codes, in the order of the stages.
func codeTables() [][]pipeline.CodeInfo {
	return [][]pipeline.CodeInfo{sources.Codes, mappings.MapCodes, mappings.Codes, sinks.Codes, bulk.Codes, record.Codes, run.RetryCodes, dedup.Codes}
}

// codes returns every code there is, in the order of the stages.
func codes() []pipeline.CodeInfo {
	return slices.Concat(codeTables()...)
}

// meaning returns what a code stands for, as a short phrase.
func meaning(code pipeline.Code) string {
	for _, list := range codeTables() {
		for i := range list {
			if list[i].Code == code {
				return list[i].Meaning
			}
		}
	}
	return string(code)
}

// printJSONFailure prints a summary that holds nothing but err: what --json
// gives when the run could not begin.
func printJSONFailure(w io.Writer, verb string, err error, next step) error {
	s := report.NewSummary(verb)
	s.Exit, s.Error, s.Next = joinedExit(err), failure(err, next), next.command
	data, jsonErr := s.JSON()
	if jsonErr != nil {
		return jsonErr
	}
	_, writeErr := w.Write(data)
	return writeErr
}
