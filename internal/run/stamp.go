package run

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"

	"flytt/pipeline"
)

// stampLength is how many characters of its digest a stamp has: 100 bits, so that
// no two of any number of rows that there will ever be are alike.
const stampLength = 20

var stampDigits = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// stampStep returns the step that writes a key into rows that have none; nil if
// they are not to be stamped, or not yet: what their keys are made of is known
// once the run has begun. The key of a row is the same whoever imports the same
// file for the same tenant, and whenever: flytt- and a digest of the tenant, the
// resource, the digest of the input, the name of its sheet if it has sheets, and the
// number of the row in it. None of them is a value of the row.
func (f *fileRows) stampStep() pipeline.Step {
	if f.stamped == nil || !f.session.spec.Write.Stamp {
		return nil
	}
	h := f.stamped()
	if h == nil {
		return nil
	}
	seed := []byte(h.Customer + "\x00" + h.Resource + "\x00" + h.Input.SHA256 + "\x00")
	if sheet := f.input.info.Sheet; sheet != "" {
		seed = append(seed, sheet+"\x00"...)
	}
	n := len(seed)
	return f.binding.plan.GenerateKeys(f.change.byRecord(), func(out []byte, row int64) []byte {
		seed = strconv.AppendInt(seed[:n], row, 10)
		sum := sha256.Sum256(seed)
		var text [52]byte
		stampDigits.Encode(text[:], sum[:])
		return append(append(out, "flytt-"...), text[:stampLength]...)
	})
}
