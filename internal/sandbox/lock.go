package sandbox

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// Locks says whether writes of one resource exclude each other, as they do on a server
// that does not wait for a lock of its database.
type Locks struct {
	Conflicts LockConflicts
	Hold      time.Duration // how long a write holds the lock at least; 0: 20 ms
}

// LockConflicts says what happens to a write that arrives while another one of the same
// resource is being served.
type LockConflicts uint8

const (
	Wait          LockConflicts = iota // it waits for the other
	Conflict409                        // it is refused with 409, and nothing of it is stored
	BadRequest400                      // it is refused with 400, and nothing of it is stored
)

func (LockConflicts) names() []string { return []string{"wait", "409", "400"} }

// String returns the name of v.
func (v LockConflicts) String() string { return nameOf(v) }

// defaultHold is long enough for writes sent at once to overlap on any machine.
const defaultHold = 20 * time.Millisecond

// lockText is the message of a write that is refused because of a lock. It names no
// row.
const lockText = "unable to lock row: could not obtain lock on relation"

// lock takes the lock of the table for a write, if Options ask for one, and
// holds it for a while. The answer releases it before its first byte leaves:
// a client that has its answer can write again.
func (x *exchange) lock() error {
	how := x.box.options.Locks
	if how.Conflicts == Wait || x.r.Method == http.MethodGet {
		return nil
	}
	if !x.table.locked.CompareAndSwap(false, true) {
		x.drain()
		return failf(how.Conflicts.status(), lockText)
	}
	x.release = func() { x.table.locked.Store(false) }
	x.sleep(cmp.Or(how.Hold, defaultHold))
	return nil
}

// unlock releases the lock that the request has, if any.
func (x *exchange) unlock() {
	if x.release != nil {
		x.release()
		x.release = nil
	}
}

// status is that of a refusal.
func (v LockConflicts) status() int {
	status, _ := strconv.Atoi(v.String()) // the names are statuses
	return status
}

// parseLock reads the status of a refusal that stands for a lock, 409 or 400.
func parseLock(arg string) (action, error) {
	var v LockConflicts
	if err := SwitchOf(&v).Set(arg); err != nil || v == Wait {
		return action{}, errors.New("not 409 or 400")
	}
	return action{instead: func(x *exchange) error {
		return x.reply(v.status(), jsonType, failf(v.status(), lockText).detail())
	}}, nil
}
