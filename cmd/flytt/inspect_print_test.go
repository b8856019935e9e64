package main

import "testing"

func TestPercentIsWholeOnlyIfAllAre(t *testing.T) {
	for share, want := range map[float64]string{0: "0 %", 0.0001: "<1 %", 0.5: "50 %", 0.9999: "99 %", 1: "100 %"} {
		if got := percent(share); got != want {
			t.Errorf("percent(%v) is %s, want %s", share, got, want)
		}
	}
}
