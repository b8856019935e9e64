//go:build failpoint

package run

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"flytt/internal/journal"
	"flytt/sinks/bulk"
)

// Failpoint, of the form point:n, is where the process dies, as by kill -9: the point, and
// at which time it is passed. Empty: nowhere.
var Failpoint string

// failing is a journal at one of whose calls the process dies.
type failing struct {
	bulk.Journal
	point string
	after atomic.Int64
}

// withFailpoints returns j, with a point of death if there is one.
func withFailpoints(j bulk.Journal) bulk.Journal {
	if Failpoint == "" {
		return j
	}
	point, times, _ := strings.Cut(Failpoint, ":")
	var n int64
	if _, err := fmt.Sscan(times, &n); err != nil {
		panic("a failpoint is point:n")
	}
	f := &failing{Journal: j, point: point}
	f.after.Store(n)
	return f
}

// pass ends the process if it is at the point for the time that was named.
func (f *failing) pass(point string) {
	if point != f.point || f.after.Add(-1) != 0 {
		return
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {} // until the signal is here
}

func (f *failing) Plan(c journal.Chunk) error {
	err := f.Journal.Plan(c)
	f.pass("planned")
	return err
}

func (f *failing) Sending(seq int64, rows []int32, image []byte) error {
	f.pass("sending")
	err := f.Journal.Sending(seq, rows, image)
	f.pass("sent")
	return err
}

func (f *failing) Settle(seq int64, s journal.Settlement) error {
	f.pass("settle")
	err := f.Journal.Settle(seq, s)
	f.pass("settled")
	return err
}
