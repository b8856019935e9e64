package pipeline_test

import (
	"bytes"
	"testing"

	"flytt/pipeline"
)

func TestGuardCellGuardsWhatASpreadsheetWouldChange(t *testing.T) {
	for _, v := range []string{
		"=cmd|' /C calc'!A0", "+46701234567", "-1", "-", "@SUM(A1)", "\tx", "\rx", "\nx", "\x00", " =1", "\u00A0=1",
		"＝1", "＋1", "－1", "＠x", "\uFEFF=1", "'=1", "''+1", "'0123",
		"0123", "00", "198501022399", "1.5", "1,50", ".5", "1E5", "1.98501E+11", "5%", "5 %", "(5)", "$5", "12 345", "12\u00A0345", " 5", "5 ",
		"1-2", "2024-01-02", "3/4", "12:30", "12:30 PM", "5 mars", "mars 5", "Maj-20", "MAR1", "SEPT2", "SANT", "true", "false", "falskt ",
	} {
		if got := pipeline.GuardCell(nil, []byte(v)); string(got) != "'"+v {
			t.Errorf("GuardCell(%q) = %q, want an apostrophe in front", v, got)
		}
	}
}

func TestGuardCellLeavesTextAndSafeNumbersAlone(t *testing.T) {
	for _, v := range []string{
		"", "'", "''", "'t Hooft", "Anna Åström", "Östen", "é", "a=b", "x@example.com", "0", "7", "12345678901",
		"850102-2399", "19850102-2399", "556016-0680", "070-123 45 67", "08-123 45 67", "123 45", "070-1234567",
		"Maj", "Jan", "Jan Jansson 3", "Marsvägen 5", "Sara", "Storgatan 5", "5 kr", "3 tr", "12A", "...", ",", " ", " text", "Truesson",
		"\uFEFF", "\uFEFFx", "ｘ", "\u00A0",
	} {
		if got := pipeline.GuardCell(nil, []byte(v)); string(got) != v {
			t.Errorf("GuardCell(%q) = %q, want it unchanged", v, got)
		}
	}
}

func FuzzUnguardCellGivesBackTheCell(f *testing.F) {
	for _, s := range []string{"", "'", "=1", "'=1", "''=1", "0123", "'0123", "\u00A0 1", "5 mars", "＝1", "'t Hooft", "\uFEFF\uFEFF=", "1 "} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		guarded := pipeline.GuardCell([]byte("x"), v)[1:]
		if got := pipeline.UnguardCell(guarded); !bytes.Equal(got, v) {
			t.Fatalf("UnguardCell(%q) = %q, want %q", guarded, got, v)
		}
		if len(guarded) > 0 && bytes.IndexByte([]byte("=+-@\t\r\n"), guarded[0]) >= 0 {
			t.Fatalf("GuardCell(%q) = %q starts as a formula does", v, guarded)
		}
	})
}

func BenchmarkGuarded(b *testing.B) {
	cells := [][]byte{[]byte("Anna Andersson"), []byte("198501022399"), []byte("070-123 45 67"), []byte("Storgatan 5"), []byte("Maja Ek"), []byte("")}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		pipeline.Guarded(cells[i%len(cells)])
	}
}
