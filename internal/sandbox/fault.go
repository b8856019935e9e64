package sandbox

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Fault is something that goes wrong with some requests. The zero value applies to
// none. Faults combine: a request is affected by all that apply to it; of several that
// would answer it, the first one does.
type Fault struct {
	text string
	who  string
	when window
	then bool // the request is served first, and its answer thrown away
	action
}

// ParseFault reads a fault, which is written WHO:WHEN:WHAT or WHO:WHEN:WHAT=ARG:
//
//	post:3:commit-then-reset   any:5-:401   list:2%:503=1   any:*:skew=+10m
//
// WHO is a method (get, post, patch, delete), an operation (list, bulk, create,
// record: GET on one row) or any. WHEN counts the requests of that WHO, from 1,
// each fault for itself: 3, 3- (the third and all after it), 3-5, * (every one),
// or a share, 5%. WHAT is one of those FaultHelp lists; those it marks can follow
// commit-then-, and then strike when the request has been served for good and
// only its answer is missing.
func ParseFault(text string) (Fault, error) {
	who, rest, _ := strings.Cut(text, ":")
	when, what, ok := strings.Cut(rest, ":")
	if !ok {
		return Fault{}, errors.New("fault: not of the form WHO:WHEN:WHAT")
	}
	f := Fault{text: text, who: who}
	if !slices.Contains(audiences, who) {
		return Fault{}, fmt.Errorf("fault %s: %s is not one of %s", text, who, strings.Join(audiences, ", "))
	}
	var err error
	if f.when, err = parseWindow(when); err != nil {
		return Fault{}, fmt.Errorf("fault %s: %w", text, err)
	}
	what, f.then = strings.CutPrefix(what, thenPrefix)
	if f.action, err = parseAction(what, f.then); err != nil {
		return Fault{}, fmt.Errorf("fault %s: %w", text, err)
	}
	return f, nil
}

// MustParseFaults parses faults. It panics if one is invalid: for tests.
func MustParseFaults(texts ...string) []Fault { return mustParse(ParseFault, texts) }

// mustParse parses texts, and panics at one that cannot be parsed.
func mustParse[T any](parse func(string) (T, error), texts []string) []T {
	all := make([]T, len(texts))
	for i, text := range texts {
		var err error
		if all[i], err = parse(text); err != nil {
			panic(err)
		}
	}
	return all
}

// String returns the fault as it was parsed.
func (f Fault) String() string { return f.text }

// afterwards reports whether the fault answers after the request was served.
func (f Fault) afterwards() bool { return f.then && f.instead != nil }

// holds reports whether the answer has to be buffered for the fault.
func (f Fault) holds() bool { return f.afterwards() || f.spoil != nil }

// thenPrefix precedes a WHAT that applies after the commit.
const thenPrefix = "commit-then-"

// audiences are the possible values of WHO.
var audiences = []string{"any", "get", "post", "patch", "delete", "list", "bulk", "create", "record"}

// concerns reports whether the fault counts a request.
func (f *Fault) concerns(r *http.Request, operation string) bool {
	return f.who == "any" || f.who == operation || f.who == strings.ToLower(r.Method)
}

// window is a WHEN: from the first to the last request, or a share of all. The
// zero value holds none.
type window struct {
	first, last uint64
	share       float64
}

func parseWindow(text string) (window, error) {
	if text == "*" {
		return window{first: 1, last: math.MaxUint64}, nil
	}
	if percent, ok := strings.CutSuffix(text, "%"); ok {
		share, err := strconv.ParseFloat(percent, 64)
		if err != nil || !(share > 0 && share <= 100) {
			return window{}, fmt.Errorf("%s is not a share from 0%% to 100%%", text)
		}
		return window{share: share / 100}, nil
	}
	from, to, span := strings.Cut(text, "-")
	w := window{last: math.MaxUint64}
	var err, lastErr error
	w.first, err = strconv.ParseUint(from, 10, 64)
	switch {
	case !span:
		w.last = w.first
	case to != "":
		w.last, lastErr = strconv.ParseUint(to, 10, 64)
	}
	if err != nil || lastErr != nil || w.first < 1 || w.last < w.first {
		return window{}, fmt.Errorf("%s is none of 3, 3-, 3-5, * and 5%%", text)
	}
	return w, nil
}

// holds reports whether the n-th request is in the window. A share is drawn from
// seed, so that the n-th is struck or spared whatever became of the others.
func (w window) holds(n, seed, fault uint64) bool {
	if w.share > 0 {
		return rand.New(rand.NewPCG(seed, fault<<40^n)).Float64() < w.share
	}
	return w.first <= n && n <= w.last
}

// plan holds the faults and counts for each the requests it concerns.
type plan struct {
	seed  uint64
	mu    sync.Mutex
	armed []*armed
}

type armed struct {
	Fault
	seen uint64
}

// Inject adds faults. Each counts the requests that arrive from now on. It
// panics at a fault that names a field which no resource has.
func (s *Sandbox) Inject(faults ...Fault) {
	if err := s.options.checkFaults(faults); err != nil {
		panic(err)
	}
	s.plan.add(faults)
}

func (p *plan) add(faults []Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range faults {
		p.armed = append(p.armed, &armed{Fault: f})
	}
}

// strike counts a request and returns the faults that strike it.
func (p *plan) strike(r *http.Request, operation string) []Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	var struck []Fault
	for i, a := range p.armed {
		if !a.concerns(r, operation) {
			continue
		}
		a.seen++
		if a.when.holds(a.seen, p.seed, uint64(i)) {
			struck = append(struck, a.Fault)
		}
	}
	return struck
}
