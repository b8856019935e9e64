package samples

import "strings"

// word is a name and its form in an e-mail address.
type word struct{ text, mail string }

func words(texts ...string) []word {
	plain := strings.NewReplacer("å", "a", "ä", "a", "á", "a", "ö", "o", "ø", "o", "é", "e", "ü", "u", "'", "", " ", ".")
	out := make([]word, len(texts))
	for i, t := range texts {
		out[i] = word{t, plain.Replace(strings.ToLower(t))}
	}
	return out
}

func pick[T any](g *generator, from []T) T { return from[g.rng.IntN(len(from))] }

var (
	firstNames = words("Anna", "Erik", "Åsa", "Björn", "Karin", "Lars", "Örjan", "Maria", "Johan", "Eva", "Göran",
		"Märta", "Anna-Lena", "Per-Åke", "René", "Siv", "Öyvind", "Jürgen", "Linnéa", "Noah", "Zahra", "Ilmari", "Ärla")
	lastNames = words("Andersson", "Johansson", "Karlsson", "Nilsson", "Öberg", "Ågren", "Lindström", "Sjöberg",
		"Håkansson", "Åkerblom", "Äng", "von Essen", "af Geijerstam", "O'Brien", "Østergaard", "Müller", "Nguyen",
		"Sandén", "Björk-Öhman", "Al Hassan", "Virtanen", "Ek")

	// titles are spelt as people spelt them; the mapping's value table knows the
	// short ones, and an empty one becomes its default.
	titles = []struct {
		written string
		meant   []byte
	}{
		{"", []byte("Kontaktperson")},
		{" ", []byte("Kontaktperson")},
		{"NULL", []byte("Kontaktperson")},
		{"Kontaktperson", []byte("Kontaktperson")},
		{"VD", []byte("Verkställande direktör")},
		{"Ordf.", []byte("Ordförande")},
		{"Ekonomichef", []byte("Ekonomichef")},
		{"Fastighetsskötare", []byte("Fastighetsskötare")},
		{"Fskötare", []byte("Fastighetsskötare")},
		{"Kassör", []byte("Kassör")},
		{"Styrelseledamot", []byte("Styrelseledamot")},
		{"Boendestödjare", []byte("Boendestödjare")},
		{"Ombud", []byte("Ombud")},
	}

	companies = []string{"Måleri & Golv AB", "Bröderna Ek Bygg HB", "\"Hem, och Bygg\" AB", "Städ; Fönster & Trädgård AB",
		"Åkeri Norr AB", "BRF Fågelsången", "Östgöta Låsservice AB", "Rör, Värme & Sanitet i Ängelholm AB",
		"Café Änglar HB", "IT-gruppen 24/7 AB", "Samfälligheten Björken"}

	trades   = []string{"Bygg", "Fastigheter", "Måleri", "Konsult", "Städ & Service", "Åkeri", "Rör", "Förvaltning"}
	towns    = []string{"Åmål", "Östersund", "Gävle", "Malmö", "Kiruna", "Ängelholm", "Borås", "Lund"}
	statuses = []string{"Aktiv", "Aktiv", "Aktiv", "Aktiv", "Aktiv", "Aktiv", "Vilande", "Ny", ""}

	// domains as people write them, and in lower case as the mapping leaves them.
	domains = []struct{ written, meant string }{
		{"example.se", "example.se"},
		{"example.com", "example.com"},
		{"Example.SE", "example.se"},
		{"post.example.org", "post.example.org"},
	}

	// notes has what makes other programs stumble: separators, quotes, line
	// breaks, characters that Windows-1252 has and Latin-1 has not.
	notes = []string{"Ring före kl. 16", "Avier per e-post", "Nyckel kvitterad", "Vill ha kontakt via växeln – ej mobil",
		"Hyra 7 250 €/kvartal", "Två barn; hund", "Har \"god man\", se pärm 3", "Bytt namn 2019, tidigare Öhrn",
		"Ring först;\nannars mejla", "Adress:\r\nStorgatan 1\r\n123 45 Småstad", "Störande granne…\n\n\"Återkom!\"",
		"=SUMMA(A1:A3)", "Kontaktperson för hela trapphuset, våning 1-4, inkl. källare och vind"}
)
