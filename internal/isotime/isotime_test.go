package isotime_test

import (
	"testing"
	"time"

	"flytt/internal/isotime"
)

func TestDate(t *testing.T) {
	for v, want := range map[string]bool{
		"2024-02-29": true, "2023-02-29": false, "1900-02-29": false, "2000-02-29": true, "0001-01-01": true, "0000-01-01": false,
		"2024-13-01": false, "2024-00-01": false, "2024-01-00": false, "2024-04-31": false, "2024-1-01": false, "2024-01-1x": false, "": false,
	} {
		if y, m, d, ok := isotime.Date([]byte(v)); ok != want || ok && time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).Format(time.DateOnly) != v {
			t.Errorf("%q is %d-%d-%d, %t", v, y, m, d, ok)
		}
	}
}

func TestForms(t *testing.T) {
	for v, want := range map[string]struct {
		strict, lenient, zoned bool
		time                   string // of the lenient form, in UTC
	}{
		"2024-01-02T03:04:05Z":                {true, true, true, "2024-01-02T03:04:05Z"},
		"2024-01-02T03:04:05.12+02:00":        {true, true, true, "2024-01-02T01:04:05.12Z"},
		"2024-01-02T03:04:05.1234567891-0130": {false, true, true, "2024-01-02T04:34:05.123456789Z"},
		"2024-01-02t03:04:05z":                {false, true, true, "2024-01-02T03:04:05Z"},
		"2024-01-02 03:04:05,5+02":            {false, true, true, "2024-01-02T01:04:05.5Z"},
		"2024-01-02T03:04:05,5Z":              {false, true, true, "2024-01-02T03:04:05.5Z"},
		"2024-01-02T03:04:05":                 {false, true, false, "2024-01-02T03:04:05Z"},
		"2024-01-02T24:00:00Z":                {false, true, true, "2024-01-03T00:00:00Z"},
		"2024-01-02T03:04:60Z":                {false, true, true, "2024-01-02T03:05:00Z"},
		"2024-02-30T03:04:05Z":                {false, true, true, "2024-03-01T03:04:05Z"},
		"2024-01-02T03:04:05.Z":               {},
		"2024-01-02T03:60:05Z":                {},
		"2024-01-02T03:04:05+24:00":           {},
		"2024-01-02T03:04:05+02:60":           {},
		"2024-01-02T03:04:05*02:00":           {},
		"2024-01-02T03:04:05+2":               {},
		"2024-01-02T03:04Z":                   {},
		"2024-01-02T03:04:05Z ":               {},
	} {
		if _, ok := isotime.RFC3339([]byte(v)); ok != want.strict {
			t.Errorf("%q is RFC 3339: %t", v, ok)
		}
		d, ok := isotime.Lenient([]byte(v))
		if ok != want.lenient || ok && (d.Zoned != want.zoned || d.Time().Format(time.RFC3339Nano) != want.time) {
			t.Errorf("%q is %s, %t", v, d.Time(), ok)
		}
	}
}

// What is RFC 3339 is read as package time reads it, and as Lenient does.
func FuzzRFC3339(f *testing.F) {
	for _, v := range []string{"2024-01-02T03:04:05Z", "2024-01-02T03:04:05.123456+02:00", "0001-01-01T00:00:00-23:59", "2024-01-02T03:04:60Z"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		d, ok := isotime.RFC3339([]byte(v))
		lenient, alike := isotime.Lenient([]byte(v))
		if !ok {
			return
		}
		if !alike || lenient != d {
			t.Errorf("%q is %+v, and leniently %+v", v, d, lenient)
		}
		if want, err := time.Parse(time.RFC3339Nano, v); err != nil || !want.Equal(d.Time()) {
			t.Errorf("%q is %s, want %s (%v)", v, d.Time(), want, err)
		}
	})
}
