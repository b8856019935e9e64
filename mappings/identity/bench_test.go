package identity_test

import (
	"testing"

	"flytt/mappings/identity"
)

func BenchmarkNumber(b *testing.B) {
	r := &identity.Rules{Today: today}
	for _, bb := range []struct {
		name, in string
		f        func([]byte)
	}{
		{"CheckPersonnummer", "19850102-2399", func(v []byte) { identity.CheckPersonnummer(v, r) }},
		{"CheckOrganisationsnummer", "556016-0680", func(v []byte) { identity.CheckOrganisationsnummer(v, r) }},
		{"ParsePersonnummer", "850102-2399", func(v []byte) { identity.ParsePersonnummer(v, r) }},
		{"ParseOrganisationsnummer", "556016-0680", func(v []byte) { identity.ParseOrganisationsnummer(v, r) }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			v := []byte(bb.in)
			for b.Loop() {
				bb.f(v)
			}
		})
	}
}
