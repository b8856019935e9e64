package sandbox

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"flytt/mappings/identity"
)

// persona is who a made-up row is about.
type persona struct{ first, last, company, street, city string }

func (g *seeder) persona() *persona {
	return &persona{
		first:   pick(g.rng, firstNames),
		last:    pick(g.rng, lastNames),
		company: pick(g.rng, lastNames) + "s " + pick(g.rng, trades),
		street:  fmt.Sprintf("%s %d", pick(g.rng, streets), 1+g.rng.IntN(120)),
		city:    pick(g.rng, cities),
	}
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// formatTexts make texts of a format, by its name.
var formatTexts = map[string]func(g *seeder, p *persona) string{
	"email":               (*seeder).email,
	"personnummer":        (*seeder).personnummer,
	"organisationsnummer": (*seeder).organisationsnummer,
	"luhn":                (*seeder).organisationsnummer,
	"phone":               (*seeder).phone,
	"gln13":               (*seeder).gln,
}

// namedTexts make texts of fields whose name tells what they hold.
var namedTexts = map[string]func(g *seeder, p *persona) string{
	"name":           func(_ *seeder, p *persona) string { return p.first + " " + p.last },
	"first_name":     func(_ *seeder, p *persona) string { return p.first },
	"last_name":      func(_ *seeder, p *persona) string { return p.last },
	"corporate_name": func(_ *seeder, p *persona) string { return p.company },
	"title":          func(g *seeder, _ *persona) string { return pick(g.rng, jobTitles) },
	"email":          (*seeder).email,
	"phone":          (*seeder).phone,
	"phone_number":   (*seeder).phone,
	"mobile":         (*seeder).phone,
	"address":        func(_ *seeder, p *persona) string { return p.street + ", " + p.city },
	"street":         func(_ *seeder, p *persona) string { return p.street },
	"city":           func(_ *seeder, p *persona) string { return p.city },
	"country":        func(*seeder, *persona) string { return "SE" },
	"zip_code":       (*seeder).postcode,
	"postal_code":    (*seeder).postcode,
}

var plainLetters = strings.NewReplacer("å", "a", "ä", "a", "ö", "o", "é", "e", "ü", "u", "ø", "o", "'", "", " ", "")

// email makes an address of a domain set apart for examples (RFC 2606).
func (g *seeder) email(p *persona) string {
	local := plainLetters.Replace(strings.ToLower(p.first + "." + p.last))
	return fmt.Sprintf("%s.%d@example.%s", local, g.made, pick(g.rng, []string{"com", "net", "org"}))
}

// phone makes one of the mobile numbers that PTS keeps for films and books.
func (g *seeder) phone(*persona) string { return fmt.Sprintf("+467017406%02d", 5+g.rng.IntN(95)) }

// personnummer makes a number with one of the birth numbers, 980 to 999, that
// Skatteverket keeps for tests.
func (g *seeder) personnummer(*persona) string {
	date := fmt.Sprintf("%04d%02d%02d", 1935+g.rng.IntN(70), 1+g.rng.IntN(12), 1+g.rng.IntN(28))
	return checked(date, 2, 980+g.rng.IntN(20))
}

// organisationsnummer makes the number of a limited company.
func (g *seeder) organisationsnummer(*persona) string {
	return checked("5599", 0, g.rng.IntN(100_000))
}

// checked writes head, number with as many digits as are missing to nine behind
// the first skip, and their check digit.
func checked(head string, skip, number int) string {
	digits := fmt.Appendf([]byte(head), "%0*d", 9+skip-len(head), number)
	return string(append(digits, identity.LuhnDigit(digits[skip:])))
}

// gln makes a global location number: the check digit weighs every second
// digit three times.
func (g *seeder) gln(*persona) string {
	digits := fmt.Appendf(nil, "735%09d", g.rng.IntN(1_000_000_000))
	sum := 0
	for i, d := range digits {
		sum += int(d-'0') * (1 + 2*(i%2))
	}
	return string(append(digits, byte('0'+(10-sum%10)%10)))
}

func (g *seeder) postcode(*persona) string { return fmt.Sprintf("%05d", 10_000+g.rng.IntN(88_000)) }

var (
	firstNames = []string{"Anna", "Erik", "Åsa", "Björn", "Karin", "Lars", "Örjan", "Maria", "Johan", "Eva", "Göran", "Märta", "Anna-Lena",
		"Per-Åke", "René", "Siv", "Linnéa", "Noah", "Zahra", "Ilmari", "Ärla", "Håkan", "Sölve", "Fatima", "Jürgen", "Gun", "Bo", "Amanda"}
	lastNames = []string{"Andersson", "Johansson", "Karlsson", "Nilsson", "Öberg", "Ågren", "Lindström", "Sjöberg", "Håkansson", "Åkerblom",
		"Äng", "von Essen", "O'Brien", "Østergaard", "Müller", "Nguyen", "Sandén", "Björk-Öhman", "Virtanen", "Ek", "Hägglund", "Bergström"}
	jobTitles = []string{"Kontaktperson", "Verkställande direktör", "Ekonomichef", "Fastighetsskötare", "Ordförande", "Förvaltare",
		"Inköpare", "Driftchef", "Vaktmästare", "Jurist", "Hyresadministratör", "Miljöstrateg"}
	trades  = []string{"Bygg AB", "Fastigheter AB", "El & Värme AB", "Måleri HB", "Städ AB", "Rör i Väst AB", "Hissar AB", "Konsult AB"}
	streets = []string{"Storgatan", "Ängsvägen", "Kyrkogatan", "Åsgatan", "Skolvägen", "Östra Hamngatan", "Björkallén"}
	cities  = []string{"Stockholm", "Göteborg", "Malmö", "Umeå", "Örebro", "Västerås", "Norrköping", "Åre", "Gävle", "Växjö"}
	// seedWords fill texts of which nothing is known.
	seedWords = []string{"Skåp", "Källare", "Loft", "Trapphus", "Gård", "Vind", "Entré", "Hiss", "Tvättstuga", "Förråd", "Balkong", "Tak"}
)
