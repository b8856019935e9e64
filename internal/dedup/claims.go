package dedup

import (
	"hash/maphash"
	"sync"
)

// Claims remembers texts that rows of a run had, so that no two rows act on one record. It
// holds their hashes in two generations, and forgets the older one when the newer is half of
// what may be held: in a file with more rows than that, it does not know of equal rows that
// are far apart. It is for concurrent use.
type Claims struct {
	seeds []maphash.Seed // by kind

	mu       sync.Mutex
	new, old map[uint64]struct{}
	limit    int // of both generations together
}

// NewClaims returns an empty set for texts of so many kinds. It remembers at least half of
// limit texts.
func NewClaims(kinds, limit int) *Claims {
	c := &Claims{seeds: make([]maphash.Seed, kinds), new: map[uint64]struct{}{}, limit: limit}
	for i := range c.seeds {
		c.seeds[i] = maphash.MakeSeed()
	}
	return c
}

// Take claims text, which is of some kind, and reports whether nobody had before.
func (c *Claims) Take(kind uint8, text []byte) bool {
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

// Has reports whether text was claimed.
func (c *Claims) Has(kind uint8, text []byte) bool {
	k := maphash.Bytes(c.seeds[kind], text)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.taken(k)
}

// taken reports whether k was claimed. The caller holds the lock.
func (c *Claims) taken(k uint64) bool {
	_, newer := c.new[k]
	_, older := c.old[k]
	return newer || older
}
