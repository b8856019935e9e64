package text_test

import (
	"testing"

	"flytt/internal/text"
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
		if got := text.Nearest(name, names); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	if got := text.Nearest("ab", []string{"ac", "abc"}); got != "ac" {
		t.Errorf("of equals got %s, want the first", got)
	}
	if got := text.Nearest("a", nil); got != "" {
		t.Errorf("of none got %s", got)
	}
}

func TestSuggestTakesPartsOfNames(t *testing.T) {
	names := []string{"client_ct", "client_secret_file", "phone_number_work", "phone_number", "external_client.id", "concurrency", "on-error", "ssn"}
	for name, want := range map[string]string{
		"phone":         "phone_number",
		"Number":        "phone_number",
		"external":      "external_client.id",
		"client_secret": "client_secret_file", // nearer to client_ct
		"concur":        "concurrency",
		"ssm":           "ssn",
		"id":            "", // too short to guess by
		"currency":      "concurrency",
		"cur":           "", // too short to be found within a name
		"clients":       "",
	} {
		if got := text.Suggest(name, names); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestHintsOfUnknownNames(t *testing.T) {
	few := []string{"reject", "first", "last", "allow"}
	many := append([]string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, few...)
	tests := []struct{ got, want string }{
		{text.DidYouMean("rejct", few, "look it up"), "did you mean reject?"},
		{text.DidYouMean("bogus", few, "look it up"), "look it up"},
		{text.Known("rejct", few), "did you mean reject?"},
		{text.Known("bogus", few), "use reject, first, last or allow"},
		{text.Known("bogus", few[:1]), "use reject"},
		{text.Known("bogus", many), ""},
		{text.Known("bogus", nil), ""},
		{text.OneOf(few[:2]), "reject or first"},
		{text.OneOf(nil), ""},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
