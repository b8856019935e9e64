package run

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"flytt/internal/advice"
	"flytt/pipeline"
	"flytt/sinks/bulk"
	"flytt/sinks/recorder"
)

// identityHint says what the file of identities is.
const identityHint = "it is the file that age-keygen wrote"

// Undo deletes what the run in the directory s.Earlier.Run made, and restores what it
// changed. It is a run of its own. The other fields of s are those of SpecOf.
func Undo(ctx context.Context, s Spec, o Observer) (*Result, error) {
	run := newSession("undo", &s, o)
	return again(ctx, run, func(r *remote, e *earlier) (_ target, err error) {
		if s.Write.Identity, err = absolute(s.Write.Identity); err != nil {
			return target{}, err
		}
		r.parent = e.path
		return r.undoTarget(e), nil
	})
}

// undoTarget undoes what e wrote.
func (r *remote) undoTarget(e *earlier) target {
	t := &undoing{remote: r, past: e}
	return target{begin: t.begin, sink: t.sink, resolvable: r.resolvable, finish: r.finish, next: afterWriting{r}.nextOfUndo, account: recorder.Options{Written: undoneWords}}
}

type undoing struct {
	remote *remote
	past   *earlier
	unseal unseal // nil: there is no identity
}

// undoneWords are what the recorder calls what an undo does.
var undoneWords = recorder.WrittenWords{File: "undone", Written: "deleted", Updated: "restored"}

// unseal opens what was sealed for a recipient.
type unseal func([]byte) ([]byte, error)

func (t *undoing) sink(pass int) (sink pipeline.Sink, limits pipeline.ChunkLimits, err error) {
	r := t.remote
	o, err := r.options(pass)
	if err != nil {
		return nil, limits, err
	}
	u, err := bulk.NewUndo(r.conn.Client, r.rows.binding.plan.Schema(), t.past.journal, bulk.UndoOptions{
		Target: o.Target, Comparison: o.Comparison, Limits: o.Limits, Open: t.unseal, Journal: o.Journal, Drain: o.Drain, Log: o.Log,
	})
	if err != nil {
		return nil, limits, err
	}
	r.engine = u
	return u, r.chunks(u.Recall), r.backup(pass)
}

// begin asks whether to go on, and begins the journal of the undo.
func (t *undoing) begin(context.Context) (err error) {
	r := t.remote
	if t.unseal, err = openerOf(r.session.spec.Write.Identity); err != nil {
		return err
	}
	if err := r.reachAgain(&t.past.header); err != nil {
		return err
	}
	if err := t.opens(t.unseal); err != nil {
		return err
	}
	if err := r.consent(Question{Run: r.parent}); err != nil {
		return err
	}
	return r.session.link(r.parent)
}

// opens returns why open, which is nil without an identity, does not open what the past
// run sealed, before anything is undone. It tries the first there is: all is sealed
// for the same keys. An undo that is resumed was begun with what it has.
func (t *undoing) opens(open unseal) error {
	if open == nil && t.remote.session.resumed {
		return nil
	}
	if open == nil {
		open = func([]byte) ([]byte, error) {
			err := advice.Usagef("--identity FILE names the file with the key that belongs to --undo-recipient", "it is encrypted, and no identity decrypts it")
			return nil, advice.Then(err, advice.Step{
				Before: advice.Task{Name: advice.SeeAbove}, Command: advice.Command{Same: true, Args: []string{"--identity", "FILE"}},
			})
		}
	}
	past := t.past.journal
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
			return nil, advice.Usagef("age-keygen makes a pair of keys; the public one begins with age1", "--undo-recipient: a key that cannot be read")
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

// openerOf returns what opens what was sealed, with the identities in the file at path;
// nil if there is none.
func openerOf(path string) (unseal, error) {
	if path == "" {
		return nil, nil
	}
	text, err := ReadSecret(path)
	if err != nil {
		return nil, advice.Usage(fmt.Errorf("--identity %w", err), cmp.Or(advice.HintOf(err), identityHint))
	}
	identities, err := age.ParseIdentities(strings.NewReader(text))
	if err != nil {
		return nil, advice.Usagef(identityHint, "--identity %s: no identities that can be read", path)
	}
	return func(data []byte) ([]byte, error) {
		r, err := age.Decrypt(bytes.NewReader(data), identities...)
		if err != nil {
			return nil, advice.Usagef("--identity names the file with the key that belongs to --undo-recipient", "none of the identities decrypts them")
		}
		return io.ReadAll(r)
	}, nil
}
