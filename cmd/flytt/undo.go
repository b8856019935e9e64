package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/pipeline"
	"flytt/sinks/bulk"
)

func undoCommand(a *app) *cobra.Command {
	var own runFlags
	var w writing
	c := &cobra.Command{
		Use:   "undo RUN",
		Short: "Delete what a run made, and restore what it changed",
		Long: `undo takes back what RUN did to the API: records that it made are deleted, and
records that it changed get back what they held before, in the fields that it
changed. RUN is the id of the run or its directory.

A record that holds something else now in a field that the run wrote was changed
since, and so was one that the run made and that holds a text now in a field that
the row left empty: they are left alone. What was taken back is in undone.csv; what was not, in
rejects.csv with the reason. Rows that the run left in doubt are left alone and
listed in in_doubt.csv. The input, the mapping and its tables have to be what
they were; if the input was moved, --input says where it is now. An undo is a run of its own, with a journal: flytt resume goes on with
one that was interrupted, stopped or killed, and the same undo twice does no
harm. The retries of a run are runs of their own and undone by themselves.

What records held before they were changed is in the journal of the run, unless
it was told --undoable=false; --identity FILE opens it if it was sealed with
--undo-recipient.`,
		Example: `  flytt undo 20261124-021500-3fa9c1
  flytt undo ./run --identity key.txt --yes`,
		Args: oneRun,
		RunE: func(c *cobra.Command, args []string) error {
			j, past, err := a.lookBack(args[0], "undo", own.moved)
			if err != nil {
				return err
			}
			if j.writing.identity, err = absolute(w.identity); err != nil {
				return errors.Join(err, j.close())
			}
			h := past.Header()
			j.target = func(context.Context, *job) (pipeline.Sink, pipeline.ChunkLimits, error) { return j.undoSink(&h, past) }
			return then(j.runLike(c), a.typed())
		},
	}
	own.addWatching(c)
	own.addMoved(c)
	w.addFlags(c)
	w.connection.addYes(c)
	c.Flags().StringVar(&w.identity, "identity", "", "`FILE` with the age identity that opens what was sealed with --undo-recipient")
	c.Flags().StringVar(&own.runDir, "run-dir", "", "new or empty `DIR` for the files of the undo (default: flytt-runs/<id>)")
	return c
}

func absolute(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	return filepath.Abs(path)
}

// undoQuestion is what is asked before the run in the directory path is taken back.
func undoQuestion(path, place string) string {
	return fmt.Sprintf("Take back what %s wrote to %s?", filepath.Base(path), place)
}

// undoes makes j, which goes on with an undo, take back what the run in the
// directory path wrote.
func (j *job) undoes(path string) error {
	if err := j.keepRetry(path); err != nil {
		return err
	}
	past, err := j.openRun(path)
	if err != nil {
		return err
	}
	j.closers = append(j.closers, past.Close)
	j.writing.parent = path
	h := past.Header()
	j.target = func(context.Context, *job) (pipeline.Sink, pipeline.ChunkLimits, error) { return j.undoSink(&h, past) }
	return nil
}

// undoSink makes the sink that takes back what the run wrote whose journal is past
// and has the header h. Before the first pass it asks whether to go on, and begins
// the journal of the undo.
func (j *job) undoSink(h *journal.Header, past *journal.Journal) (pipeline.Sink, pipeline.ChunkLimits, error) {
	var none pipeline.ChunkLimits
	open, err := j.opener()
	if err != nil {
		return nil, none, err
	}
	if err := j.reachAgain(h); err != nil {
		return nil, none, err
	}
	if j.pass == 1 {
		if err := j.opens(open, past); err != nil {
			return nil, none, err
		}
		if err := j.consent(); err != nil {
			return nil, none, err
		}
		if err := j.linkTo(j.writing.parent); err != nil {
			return nil, none, err
		}
	}
	o, err := j.bulkOptions()
	if err != nil {
		return nil, none, err
	}
	sink, err := bulk.NewUndo(j.writing.client, j.plan.Schema(), past, open, o)
	if err != nil {
		return nil, none, err
	}
	j.writing.doubts = sink
	return sink, j.chunkLimits(sink.Recall), nil
}

// nextOfDoubtful returns what to do after all was taken back but for the rows that
// the run left in doubt: they are settled by going on with it.
func (j *job) nextOfDoubtful() step {
	run := shorten(j.writing.parent)
	if s, err := report.ReadSummary(j.writing.parent); err == nil && s != nil && s.Error == nil {
		return step{command: j.resume(run)}
	}
	return step{"compare the rows in in_doubt.csv with the API by hand, or go on with the run, which settles them and sends the rest, and take it back again",
		join([]string{"flytt", "runs", "show", run})}
}

// opens returns why open, which is nil without an identity, does not open what the
// run with the journal past sealed, before anything is taken back. It tries the first
// there is: all is sealed for the same keys. An undo that is gone on with was begun
// with what it has.
func (j *job) opens(open func([]byte) ([]byte, error), past *journal.Journal) error {
	if open == nil && j.recorded != nil {
		return nil
	}
	if open == nil {
		open = func([]byte) ([]byte, error) {
			err := usagef("--identity FILE names the file with the key that belongs to --undo-recipient", "it is sealed, and no identity opens it")
			return nil, then(err, j.typed()+" --identity FILE")
		}
	}
	for e, err := range past.Entries {
		if err != nil {
			return err
		}
		images, err := past.BeforeImages(e.Seq)
		if err != nil {
			return err
		}
		if len(images) > 0 {
			_, err := bulk.ReadImage(images[0].Data, open)
			return err
		}
	}
	return nil
}

// sealFor returns what encrypts so that recipients alone can read it; nil if there
// are none.
func sealFor(recipients []string) (func([]byte) ([]byte, error), error) {
	var keys []age.Recipient
	for _, text := range recipients {
		key, err := age.ParseX25519Recipient(text)
		if err != nil {
			return nil, usagef("age-keygen makes a pair of keys; the public one begins with age1", "--undo-recipient: a key that cannot be read")
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	return func(data []byte) ([]byte, error) {
		var out bytes.Buffer
		w, err := age.Encrypt(&out, keys...)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(data); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		return out.Bytes(), nil
	}, nil
}

// opener returns what opens what was sealed, with the identities that were given;
// nil if there are none.
func (j *job) opener() (func([]byte) ([]byte, error), error) {
	path := j.writing.identity
	if path == "" {
		return nil, nil
	}
	text, err := readSecret(path)
	if err != nil {
		return nil, usage(fmt.Errorf("--identity %w", err), cmp.Or(hintOf(err), "it is the file that age-keygen wrote"))
	}
	identities, err := age.ParseIdentities(strings.NewReader(text))
	if err != nil {
		return nil, usagef("it is the file that age-keygen wrote", "--identity %s: no identities that can be read", path)
	}
	return func(data []byte) ([]byte, error) {
		r, err := age.Decrypt(bytes.NewReader(data), identities...)
		if err != nil {
			return nil, usagef("--identity names the file with the key that belongs to --undo-recipient", "none of the identities opens them")
		}
		return io.ReadAll(r)
	}, nil
}
