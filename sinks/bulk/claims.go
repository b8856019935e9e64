package bulk

import (
	"hash/maphash"
	"sync"
)

// maxClaims is how many ids and keys a run remembers at least, half of it, and
// at most: some 20 MB.
const maxClaims = 1 << 20

// claims remembers the ids and keys that rows of the run had, so that no two rows
// change one record, and none makes a record that another is making. It holds
// their hashes in two generations and forgets the older one when the newer is
// half of what may be held: in a file with more rows than that, equal rows far
// apart are met one after the other, by the record that the first has left. It
// is for concurrent use.
type claims struct {
	mu       sync.Mutex
	seeds    [3]maphash.Seed // by kind
	new, old map[uint64]struct{}
	limit    int // of both generations together
}

// claimKind says what is claimed: an id and a key may be the same text.
type claimKind uint8

const (
	idClaim claimKind = iota
	keyClaim
	createClaim // the key of a row that was sent to be created
)

func (c *claims) init() {
	for i := range c.seeds {
		c.seeds[i] = maphash.MakeSeed()
	}
	c.new, c.limit = map[uint64]struct{}{}, maxClaims
}

// take claims text and reports whether nobody had.
func (c *claims) take(kind claimKind, text []byte) bool {
	k := maphash.Bytes(c.seeds[kind], text)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken(k) {
		return false
	}
	if len(c.new) >= c.limit/2 {
		c.old, c.new = c.new, make(map[uint64]struct{}, c.limit/2)
	}
	c.new[k] = struct{}{}
	return true
}

// has reports whether text was claimed.
func (c *claims) has(kind claimKind, text []byte) bool {
	k := maphash.Bytes(c.seeds[kind], text)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.taken(k)
}

// taken reports whether k was claimed. The caller holds the lock.
func (c *claims) taken(k uint64) bool {
	_, newer := c.new[k]
	_, older := c.old[k]
	return newer || older
}
