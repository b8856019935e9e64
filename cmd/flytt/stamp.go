package main

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"

	"flytt/mappings"
	"flytt/pipeline"
)

// stampLength is how many characters of its digest a stamp has: 100 bits, so that
// no two of any number of rows that there will ever be are alike.
const stampLength = 20

var stampDigits = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// stampable returns the mapping of the run, with the resource's own key if rows
// are to be stamped.
func (j *job) stampable() (*mappings.Mapping, error) {
	if j.writing == nil || !j.writing.stamp {
		return j.mapping, nil
	}
	if j.change.mode == modeUpdate {
		return nil, usagef("leave --stamp out", "--stamp makes keys of new records, and --mode update makes none")
	}
	m, err := j.mapping.WithKey(j.resource)
	if err != nil {
		return nil, usage(err, "leave --stamp out, or that key")
	}
	return m, nil
}

// stampStep returns the step that writes a key into rows that have none; nil if
// they are not to be stamped, or not yet: what their keys are made of is known
// once the run has begun. The key of a row is the same whoever imports the same
// file for the same tenant, and whenever: flytt- and a digest of the tenant, the
// resource, the digest of the input, the name of its sheet if it has sheets, and the
// number of the row in it. None of them is a value of the row.
func (j *job) stampStep() pipeline.Step {
	w := j.writing
	if w == nil || !w.stamp || w.past == nil && w.journal == nil {
		return nil
	}
	h := w.past
	if h == nil {
		own := w.journal.Header()
		h = &own
	}
	seed := []byte(h.Customer + "\x00" + h.Resource + "\x00" + h.Input.SHA256 + "\x00")
	if j.info.Sheet != "" {
		seed = append(seed, j.info.Sheet+"\x00"...)
	}
	n := len(seed)
	return j.plan.GenerateKeys(j.change.byRecord(), func(out []byte, row int64) []byte {
		seed = strconv.AppendInt(seed[:n], row, 10)
		sum := sha256.Sum256(seed)
		var text [52]byte
		stampDigits.Encode(text[:], sum[:])
		return append(append(out, "flytt-"...), text[:stampLength]...)
	})
}
