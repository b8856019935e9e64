package sandbox

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"sync"

	"flytt/internal/osfile"
)

// maxRankings bounds the rankings kept.
const maxRankings = 8

// rankings keeps lists as the numbers of their rows in order: eight bytes a row, in
// temporary files, so that memory does not grow with the table.
type rankings struct {
	dir  string        // for the files; empty: where temporary files go
	gate chan struct{} // a semaphore: its holder creates a ranking

	mu    sync.Mutex
	lists map[listKey]*ranking
	clock uint64
}

// ranking is one list in order.
type ranking struct {
	version version
	rows    int64
	file    *os.File

	users int // among them rankings itself; without any the file is closed
	used  uint64
}

func newRankings(dir string) *rankings {
	r := &rankings{dir: dir, gate: make(chan struct{}, 1), lists: map[listKey]*ranking{}}
	r.gate <- struct{}{}
	return r
}

// open returns the ranking of a list, which write fills if there is none yet. The
// caller releases it.
func (r *rankings) open(ctx context.Context, key listKey, v version, write func(add func(row int64) error) error) (*ranking, error) {
	if k := r.kept(key, v); k != nil {
		return k, nil
	}
	select {
	case <-r.gate:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { r.gate <- struct{}{} }()
	if k := r.kept(key, v); k != nil {
		return k, nil // made while this one waited
	}
	k, err := makeRanking(r.dir, write)
	if err != nil {
		return nil, err
	}
	k.version = v
	return k, r.keep(key, k)
}

// kept returns the ranking of a list if there is one.
func (r *rankings) kept(key listKey, v version) *ranking {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.lists[key]
	if k == nil || k.version != v {
		return nil
	}
	r.clock++
	k.used = r.clock
	k.users++
	return k
}

// keep adds a ranking that its maker uses, too, in place of an older one.
func (r *rankings) keep(key listKey, k *ranking) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var err error
	if old := r.lists[key]; old != nil {
		err = r.leave(old)
	}
	r.clock++
	k.used, k.users = r.clock, 2
	r.lists[key] = k
	if len(r.lists) > maxRankings {
		key := oldest(r.lists, func(k *ranking) uint64 { return k.used })
		err = errors.Join(err, r.leave(r.lists[key]))
		delete(r.lists, key)
	}
	return err
}

// release ends the use of a ranking.
func (r *rankings) release(k *ranking) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.leave(k)
}

// leave removes a user; the last one closes the file.
func (r *rankings) leave(k *ranking) error {
	k.users--
	if k.users > 0 {
		return nil
	}
	return k.close()
}

// close forgets all rankings.
func (r *rankings) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for key, k := range r.lists {
		errs = append(errs, r.leave(k))
		delete(r.lists, key)
	}
	return errors.Join(errs...)
}

// makeRanking writes a ranking to a file that nobody else sees, on systems where an
// open file can be removed.
func makeRanking(dir string, write func(add func(row int64) error) error) (*ranking, error) {
	f, err := osfile.Nameless(dir, "flytt-sandbox-order-")
	if err != nil {
		return nil, err
	}
	k := &ranking{file: f}
	out := bufio.NewWriter(f)
	err = write(func(row int64) error {
		k.rows++
		_, err := out.Write(binary.LittleEndian.AppendUint64(out.AvailableBuffer(), uint64(row)))
		return err
	})
	if err = errors.Join(err, out.Flush()); err != nil {
		return nil, errors.Join(err, k.close())
	}
	return k, nil
}

func (k *ranking) close() error { return osfile.CloseNameless(k.file) }

// read returns the numbers of up to count rows from place first on.
func (k *ranking) read(first, count int64) ([]int64, error) {
	count = min(count, k.rows-first)
	if count <= 0 {
		return nil, nil
	}
	raw := make([]byte, 8*count)
	if _, err := k.file.ReadAt(raw, 8*first); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	numbers := make([]int64, count)
	for i := range numbers {
		numbers[i] = int64(binary.LittleEndian.Uint64(raw[8*i:]))
	}
	return numbers, nil
}
