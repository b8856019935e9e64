package journal

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// history is a journal whose every state is known.
type history struct {
	t      *testing.T
	j      *Journal
	path   string
	known  map[int64]*told
	states map[string]int // a state of the whole journal, to after how many calls it held last
	calls  int

	durable []mark // in order
}

// mark is a length of the log, and how many calls were durable at it.
type mark struct {
	log   int64
	calls int
}

func newHistory(t *testing.T) *history {
	h := &history{t: t, known: map[int64]*told{}, states: map[string]int{}}
	h.j, h.path = newJournal(t)
	h.note(false)
	return h
}

// stateOf returns chunks as text to compare.
func stateOf(t *testing.T, chunks []*told) string {
	slices.SortFunc(chunks, func(a, b *told) int { return int(a.Chunk.Seq - b.Chunk.Seq) })
	text, err := json.Marshal(chunks)
	must(t, err)
	return string(text)
}

// note notes the state after a call.
func (h *history) note(durable bool) {
	h.calls++
	var chunks []*told
	for _, c := range h.known {
		chunks = append(chunks, c)
	}
	h.states[stateOf(h.t, chunks)] = h.calls
	if durable {
		info, err := os.Stat(h.path + walSuffix)
		must(h.t, err)
		h.durable = append(h.durable, mark{info.Size(), h.calls})
	}
}

// write goes through the states of chunks from first on, several at a time.
func (h *history) write(first, n int64) {
	const rows = 40
	for seq := first; seq < first+n+2; seq++ {
		if seq < first+n {
			must(h.t, h.j.Plan(chunkOf(seq, rows)))
			h.known[seq] = &told{Chunk: chunkOf(seq, rows), State: Planned}
			h.note(false)
		}
		if before := seq - 1; before >= first && before < first+n {
			must(h.t, h.j.Sending(before, []int32{0, 1, 7}, []byte("image")))
			h.known[before] = &told{Chunk: chunkOf(before, rows), State: Sending, Sent: []int32{0, 1, 7}}
			h.note(true)
		}
		if before := seq - 2; before >= first && before < first+n-1 { // the last stays in doubt
			s := settlementOf(before, rows)
			s.Notes = []byte("note")
			must(h.t, h.j.Settle(before, s))
			h.known[before] = tell(&Entry{Chunk: chunkOf(before, rows), State: Settled, Settlement: s})
			h.note(false)
		}
	}
	must(h.t, h.j.Finish("interrupted"))
	h.calls--
	h.note(true)
}

// files returns the database and the log as they are on the disk.
func (h *history) files() (db, log []byte) {
	h.t.Helper()
	db, err := os.ReadFile(h.path)
	must(h.t, err)
	log, err = os.ReadFile(h.path + walSuffix)
	if !errors.Is(err, os.ErrNotExist) {
		must(h.t, err)
	}
	return db, log
}

// opened opens the journal that the files make, and returns its state: after how
// many calls it held.
func (h *history) opened(db, log []byte, open func(string, *Key) (*Journal, error)) (calls int, err error) {
	h.t.Helper()
	path := filepath.Join(h.t.TempDir(), "journal.db")
	must(h.t, os.WriteFile(path, db, 0o600))
	if log != nil {
		must(h.t, os.WriteFile(path+walSuffix, log, 0o600))
	}
	j, err := open(path, testKey())
	if err != nil {
		return 0, err
	}
	defer func() { must(h.t, j.Close()) }()
	var chunks []*told
	for e, err := range j.Entries {
		if err != nil {
			return 0, err
		}
		chunks = append(chunks, tell(e))
	}
	for _, c := range chunks {
		if _, err := j.BeforeImages(c.Chunk.Seq); err != nil {
			return 0, err
		}
	}
	calls, ok := h.states[stateOf(h.t, chunks)]
	if !ok {
		h.t.Errorf("misread: %s", stateOf(h.t, chunks))
	}
	return calls, nil
}

// durableAt returns how many calls were durable when the log had n bytes.
func (h *history) durableAt(n int64) int {
	calls := 0
	for _, m := range h.durable {
		if m.log <= n {
			calls = m.calls
		}
	}
	return calls
}

// openers are the ways to open a journal: the cut-off end is to be the same to
// both.
var openers = map[string]func(string, *Key) (*Journal, error){"open": Open, "read": Read}

// begun returns a history of which a part is in the database and a part in the
// log.
func begun(t *testing.T) *history {
	h := newHistory(t)
	h.write(0, 6)
	h.j = reopened(t, h.j, h.path)
	h.durable = nil
	h.known[5].State = Sending
	h.note(true)
	h.write(6, 8)
	return h
}

// The log is cut anywhere: what is left is a beginning of what was written, and
// nothing is missing that was durable when the log was that long.
func TestFault07TornJournal(t *testing.T) {
	h := begun(t)
	db, log := h.files()
	if h.durable[len(h.durable)-1].log != int64(len(log)) {
		t.Fatalf("the log has %d bytes, and had %d", len(log), h.durable[len(h.durable)-1].log)
	}
	random := rand.New(rand.NewPCG(1, 2))
	cuts := []int{0, 1, 31, 32, 33, len(log)}
	for at := logHead; at < len(log); at += frameHead + 4096 {
		cuts = append(cuts, at, at+1+random.IntN(frameHead), at+frameHead+random.IntN(4096))
	}
	for _, cut := range cuts {
		for name, open := range openers {
			calls, err := h.opened(db, log[:cut], open)
			if err != nil {
				t.Errorf("%s, log cut at %d: %v", name, cut, err)
			} else if least := h.durableAt(int64(cut)); calls < least {
				t.Errorf("%s, log cut at %d: the state after %d calls, and %d were durable", name, cut, calls, least)
			}
		}
	}
}

// A part of the last transaction was never written, or is what lay there before:
// whichever was the last, it is as if it had not begun, and nothing is refused.
func TestFault07TornTransaction(t *testing.T) {
	h := begun(t)
	db, log := h.files()
	random := rand.New(rand.NewPCG(3, 4))
	most := int64(0)
	for i := range 80 {
		n := 1 + i%(len(h.durable)-1)
		from, to := h.durable[n-1], h.durable[n]
		most = max(most, (to.log-from.log)/(frameHead+4096))
		torn := slices.Clone(log[:to.log])
		for at := max(from.log, logHead); at < to.log; at += 512 { // the head is synced before all else
			if random.IntN(2) == 0 {
				clear(torn[at:min(at+512, to.log)])
			}
		}
		calls, err := h.opened(db, torn, Open)
		if err != nil || calls < from.calls {
			t.Errorf("transaction %d torn: the state after %d calls, and %d were durable: %v", n, calls, from.calls, err)
		}
	}
	if most < 3 {
		t.Errorf("no transaction has more than %d pages", most)
	}
}

// A bit of the log goes bad: it is refused, unless it may be that the last
// transaction was never written whole.
func TestFault07BadLog(t *testing.T) {
	h := begun(t)
	db, log := h.files()
	least := h.durable[len(h.durable)-2]
	random := rand.New(rand.NewPCG(5, 6))
	refused := 0
	for i := range 300 {
		bad := slices.Clone(log)
		at := random.IntN(len(log))
		if i%2 == 0 { // the heads of frames, above all
			at = logHead + random.IntN((len(log)-logHead)/(frameHead+4096))*(frameHead+4096) + random.IntN(frameHead)
		}
		bad[at] ^= 1 << random.IntN(8)
		for name, open := range openers {
			calls, err := h.opened(db, bad, open)
			switch {
			case err != nil:
				refused++
				if !errors.Is(err, ErrDamaged) {
					t.Errorf("%s, bit in byte %d of the log: %v", name, at, err)
				}
			case calls < least.calls:
				t.Errorf("%s, bit in byte %d of the log (%d of them): the state after %d calls, and %d were durable", name, at, len(log), calls, least.calls)
			case int64(at) < least.log && calls < h.calls:
				t.Errorf("%s, bit in byte %d of the log, and what was durable behind it is gone", name, at)
			}
		}
	}
	if refused == 0 {
		t.Error("none was refused")
	}
}

// The log has begun anew several times, and ends before frames of an earlier one.
func TestFault07LogBegunAnew(t *testing.T) {
	h := newHistory(t)
	must(t, oftenCheckpointed(h.j))
	h.write(0, 12)
	db, log := h.files()
	for name, open := range openers {
		if calls, err := h.opened(db, log, open); err != nil || calls != h.calls {
			t.Errorf("%s: the state after %d calls of %d, %v", name, calls, h.calls, err)
		}
	}
	least := h.durable[len(h.durable)-2]
	random := rand.New(rand.NewPCG(9, 10))
	for range 100 {
		bad := slices.Clone(log)
		at := random.IntN(len(log))
		bad[at] ^= 1 << random.IntN(8)
		if calls, err := h.opened(db, bad, Open); err == nil && calls < least.calls {
			t.Errorf("bit in byte %d of the log: the state after %d calls, and %d were durable", at, calls, least.calls)
		}
	}
}

// A bit of the database goes bad: nothing is lost, or it is refused.
func TestFault07BadDatabase(t *testing.T) {
	h := begun(t)
	dbOpen, log := h.files()
	must(t, h.j.Close())
	dbClosed, _ := h.files()
	random := rand.New(rand.NewPCG(7, 8))
	refused := 0
	for i := range 160 {
		db, beside := slices.Clone(dbClosed), []byte(nil)
		if i%2 == 0 {
			db, beside = slices.Clone(dbOpen), log
		}
		at := random.IntN(len(db))
		if i%8 < 2 {
			at = random.IntN(100)
		}
		db[at] ^= 1 << random.IntN(8)
		for name, open := range openers {
			calls, err := h.opened(db, beside, open)
			if err != nil {
				refused++
			} else if calls != h.calls {
				t.Errorf("%s, bit in byte %d of the database: the state after %d calls of %d", name, at, calls, h.calls)
			}
		}
	}
	if refused == 0 {
		t.Error("none was refused")
	}
}

// Files of different ages, or not all of them, are refused.
func TestFault07FilesThatDoNotBelongTogether(t *testing.T) {
	h := newHistory(t)
	h.write(0, 40)
	oldDB, _ := h.files()
	h.j = reopened(t, h.j, h.path)
	h.write(40, 6)
	db, log := h.files()
	must(t, h.j.Close())
	closed, _ := h.files()
	tests := map[string][2][]byte{
		"older database":        {oldDB, log},
		"log missing":           {db, nil},
		"log missing, older":    {oldDB, nil},
		"log without beginning": {db, append(make([]byte, logHead), log[logHead:]...)},
		"database cut":          {closed[:len(closed)/2], nil},
	}
	for name, files := range tests {
		for how, open := range openers {
			if calls, err := h.opened(files[0], files[1], open); err == nil {
				t.Errorf("%s: %s took it, as after %d calls", name, how, calls)
			} else if !errors.Is(err, ErrDamaged) || hintIn(err) == "" {
				t.Errorf("%s: %s: %v", name, how, err)
			}
		}
	}
}

// A record that is another's, or an earlier one, is refused though each by itself
// is right.
func TestFault07RecordsOutOfPlace(t *testing.T) {
	tests := map[string]string{
		"of another chunk": "update chunk set (body, mac) = (select body, mac from chunk where seq = 1) where seq = 2",
		"missing":          "delete from chunk where seq = 1",
		"image missing":    "delete from image where seq = 1",
		"image changed":    "update image set body = zeroblob(length(body)) where seq = 1",
		"image of another": "update image set seq = 7 where seq = 1",
		"ledger missing":   "delete from ledger",
		"ledger changed":   "update ledger set body = zeroblob(40)",
		"header missing":   "delete from header",
		"header changed":   `update header set body = replace(body, 'import', 'export')`,
	}
	for name, statement := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHistory(t)
			h.write(0, 6)
			must(t, h.j.Close())
			db, _ := h.files()
			changed := filepath.Join(t.TempDir(), "journal.db")
			must(t, os.WriteFile(changed, db, 0o600))
			d, conn, err := connect(changed, nil)
			must(t, err)
			_, err = conn.ExecContext(t.Context(), statement)
			must(t, errors.Join(err, conn.Close(), d.Close()))
			db, err = os.ReadFile(changed)
			must(t, err)
			for how, open := range openers {
				if _, err := h.opened(db, nil, open); !errors.Is(err, ErrDamaged) {
					t.Errorf("%s: %v", how, err)
				}
			}
		})
	}
}

func hintIn(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
