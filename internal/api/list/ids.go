package list

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// idKey stands for an id: the 16 bytes of a UUID, or a hash of 16 bytes.
type idKey [16]byte

// Two seeds make a hash of 128 bits of two of 64.
var idSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// keyOfID returns the key of an id. Upper and lower case of a UUID are equal.
func keyOfID(id []byte) (k idKey) {
	if parseID(&k, id) {
		return k
	}
	binary.LittleEndian.PutUint64(k[:8], maphash.Bytes(idSeeds[0], id))
	binary.LittleEndian.PutUint64(k[8:], maphash.Bytes(idSeeds[1], id))
	return k
}

// uuidPositions are the places of the pairs of digits in a UUID with its dashes.
var uuidPositions = [16]int{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}

// hexValues are the values of the digits; those of all other bytes have high
// bits set.
var hexValues = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xF0
	}
	for i := range 10 {
		t['0'+i] = byte(i)
	}
	for i := range 6 {
		t['a'+i], t['A'+i] = byte(10+i), byte(10+i)
	}
	return t
}()

// parseID reads a UUID with its dashes.
func parseID(k *idKey, s []byte) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	var bad byte
	for i, at := range uuidPositions {
		high, low := hexValues[s[at]], hexValues[s[at+1]]
		bad |= high | low
		k[i] = high<<4 | low
	}
	return bad < 0x10
}

// idSet is a set of ids: an open-addressing table that holds only the keys. It takes 20
// to 30 bytes for each id.
type idSet struct {
	slots []idKey // the zero key: free
	n     int
	zero  bool // the zero key is in the set
}

// clear empties the set and keeps its memory.
func (s *idSet) clear() {
	clear(s.slots)
	s.n, s.zero = 0, false
}

// add adds k and reports whether it was not there.
func (s *idSet) add(k idKey) bool {
	if k == (idKey{}) {
		fresh := !s.zero
		s.zero = true
		return fresh
	}
	if (s.n+1)*5 > len(s.slots)*4 {
		s.grow()
	}
	i, found := s.find(k)
	if !found {
		s.slots[i] = k
		s.n++
	}
	return !found
}

// has reports whether k is there.
func (s *idSet) has(k idKey) bool {
	if k == (idKey{}) {
		return s.zero
	}
	if len(s.slots) == 0 {
		return false
	}
	_, found := s.find(k)
	return found
}

// find returns where k is, or where there is room for it.
func (s *idSet) find(k idKey) (i int, found bool) {
	h := binary.LittleEndian.Uint64(k[:8])*0x9E3779B97F4A7C15 ^ binary.LittleEndian.Uint64(k[8:])
	top, _ := bits.Mul64(h*0xD6E8FEB86659FD93, uint64(len(s.slots)))
	for i = int(top); ; i++ {
		if i == len(s.slots) {
			i = 0
		}
		switch s.slots[i] {
		case k:
			return i, true
		case idKey{}:
			return i, false
		}
	}
}

func (s *idSet) grow() {
	old := s.slots
	s.slots = make([]idKey, max(64, len(old)+len(old)/2))
	for _, k := range old {
		if k != (idKey{}) {
			i, _ := s.find(k)
			s.slots[i] = k
		}
	}
}

// frontier is how far a reading in the order of creation has come: to a moment, and to
// some of its rows.
type frontier struct {
	at   int64
	ids  []idKey // of the rows of that moment that were handed out
	many *idSet  // the same ids, once there are many
}

const manyIDs = 32

// admit reports whether a row lies beyond the frontier; if so, it moves the frontier
// there.
func (f *frontier) admit(at int64, k idKey) bool {
	switch {
	case at < f.at:
		return false
	case at > f.at:
		f.at, f.ids, f.many = at, f.ids[:0], nil
	case f.has(k):
		return false
	}
	f.ids = append(f.ids, k)
	if f.many != nil {
		f.many.add(k)
	}
	return true
}

// has reports whether the row was handed out, if it is of the moment of the frontier.
func (f *frontier) has(k idKey) bool {
	if len(f.ids) > manyIDs {
		if f.many == nil {
			f.many = new(idSet)
			for _, id := range f.ids {
				f.many.add(id)
			}
		}
		return f.many.has(k)
	}
	for i := range f.ids {
		if f.ids[i] == k {
			return true
		}
	}
	return false
}
