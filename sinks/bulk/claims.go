package bulk

import "flytt/internal/dedup"

// maxClaims is how many ids and keys a run remembers at most: some 20 MB.
const maxClaims = 1 << 20

// The kinds of texts that rows claim, so that no two rows change one record, and none makes
// a record that another is making. An id and a key may be the same text.
const (
	idClaim uint8 = iota
	keyClaim
	createClaim // the key of a row that was sent to be created

	claimKinds = iota
)

func newClaims() *dedup.Claims { return dedup.NewClaims(claimKinds, maxClaims) }
