package dedup

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
)

// Hasher makes digests of texts with a secret that is never stored. Without a secret, the
// digest of a personnummer could be found out by trying all of them. A Hasher is for one
// goroutine; others use a Clone of it.
type Hasher struct {
	secret [sha256.Size]byte
	text   []byte // buffer
}

// NewHasher returns a Hasher with a secret of its own.
func NewHasher() *Hasher {
	h := &Hasher{}
	rand.Read(h.secret[:]) // never fails
	return h
}

// Clone returns a Hasher with the same secret.
func (h *Hasher) Clone() *Hasher { return &Hasher{secret: h.secret} }

// Record returns a record with the digest of text. Two have the same digest if their texts
// and the kinds of these are the same.
func (h *Hasher) Record(kind uint8, text []byte) Record {
	h.text = append(append(append(h.text[:0], h.secret[:]...), kind), text...)
	sum := sha256.Sum256(h.text)
	return Record{Hi: binary.BigEndian.Uint64(sum[:]), Lo: binary.BigEndian.Uint64(sum[8:])}
}
