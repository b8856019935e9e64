package mappings_test

import (
	"testing"

	"flytt/mappings"
)

func TestNearest(t *testing.T) {
	names := []string{"Namn", "Förnamn", "Efternamn", "Personnr", "external_client.id", "E-post"}
	for name, want := range map[string]string{
		"Namn":              "Namn",
		"namn":              "Namn",
		"Nman":              "Namn",
		"Fornamn":           "Förnamn",
		"Fo\u0308rnamn":     "Förnamn",
		" FÖRNAMN ":         "Förnamn",
		"Personnnr":         "Personnr",
		"Personnummer":      "Personnr",
		"external_clientid": "external_client.id",
		"Epost":             "E-post",
		"Telefon":           "",
		"":                  "",
	} {
		if got := mappings.Nearest(name, names); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	if got := mappings.Nearest("ab", []string{"ac", "abc"}); got != "ac" {
		t.Errorf("of equals got %s, want the first", got)
	}
	if got := mappings.Nearest("a", nil); got != "" {
		t.Errorf("of none got %s", got)
	}
}
