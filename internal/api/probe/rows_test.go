package probe

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestShapesShowNoValue(t *testing.T) {
	for _, tt := range []struct {
		name  string
		shape func(jsontext.Value) string
		want  map[string]string
	}{
		{"time", timeShape, map[string]string{
			`"2026-03-01T12:00:00Z"`:             "seconds, UTC (Z)",
			`"2026-03-01T12:00:00.123Z"`:         "milliseconds, UTC (Z)",
			`"2026-03-01T12:00:00.123456+01:00"`: "microseconds, offset +01:00",
			`"2026-03-01T12:00:00.12-0500"`:      "2 decimals, offset -0500",
			`"2026-03-01T12:00:00"`:              "seconds, no zone",
			`"2026-03-01 12:00"`:                 "not RFC 3339",
			`1772366400`:                         "not RFC 3339",
		}},
		{"number", numberShape, map[string]string{
			`"198501022399"`:     "12 digits",
			`"19850102-2399"`:    "12 digits with a dash",
			`"5560360793"`:       "10 digits",
			`"556036-0793"`:      "10 digits with a dash",
			`"+46701234567"`:     "plus and digits",
			`"0812345"`:          "digits",
			`"070 123 45 67"`:    "digits and other characters",
			`"ring Anna"`:        "digits and other characters",
			`198501022399`:       "no text",
			`"+46-70-123 45 67"`: "digits and other characters",
		}},
		{"relation", relationShape, map[string]string{
			`{}`:                    "{}",
			`{"id":"x"}`:            `{"id": …}`,
			`{"id":"x","name":"y"}`: "expanded, with id",
			`{"name":"y"}`:          "an object without id",
			`"x"`:                   "bare id",
			`[]`:                    "neither id nor object",
		}},
		{"error", func(v jsontext.Value) string { return errorShape(v) }, map[string]string{
			`{"detail":"x"}`:             `{"detail": …}`,
			`{"errors":{}}`:              `{"errors": …}`,
			`{"name":["x"]}`:             `{"parameter": …}`,
			`[{}]`:                       "a list",
			`"x"`:                        "a single value",
			`Anna`:                       "plain text",
			` <html>Anna</html>`:         "an HTML page",
			``:                           "empty",
			`{"error":"x","detail":"y"}`: `{"detail": …}`,
		}},
	} {
		for value, want := range tt.want {
			if got := tt.shape(jsontext.Value(value)); got != want {
				t.Errorf("%s %s: %q, want %q", tt.name, value, got, want)
			}
		}
	}
}

func TestOtherCaseSendsOneLetterAlone(t *testing.T) {
	for text, want := range map[string]rune{"Åsa": 'å', "Bo Öberg": 'ö', "Måns": 'Å', "Anna": 0, "Åsa å": 0, "ÅÄåä ö": 'Ö', "": 0} {
		if got := otherCase(text); got != want {
			t.Errorf("otherCase(%q) = %q, want %q", text, got, want)
		}
	}
}
