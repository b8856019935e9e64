package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// action is what a fault does to a request. At most one of the functions is set.
type action struct {
	fields  []string                             // text fields that it concerns
	prepare func(x *exchange)                    // changes how the request is served
	instead func(x *exchange) error              // answers in its place; at once, or once it is served
	spoil   func(x *exchange, a *bufferedAnswer) // changes the answer on its way
}

// effect is a WHAT: its name, its argument, and what it does.
type effect struct {
	name     string
	arg      string // what the help calls the argument; empty: there is none
	standard string // the argument where none is given; empty: it has to be
	does     string
	parse    func(arg string) (action, error)
}

// effects is the table of WHATs, status codes aside.
var effects = []effect{
	{"refuse", "TIME", "1s", "answer, then listen to nobody for TIME: refused", timed(func(x *exchange, d time.Duration) { x.refusing = d })},
	{"reset", "", "", "reset the connection *", instead((*exchange).reset)},
	{"hang", "", "", "read the request and never answer *", instead((*exchange).hang)},
	{"rst-stream", "CODE", "PROTOCOL_ERROR", "end the HTTP/2 stream; HTTP/1: reset *", parseStreamReset},
	{"html", "", "", "200 and an HTML page *", instead((*exchange).page)},
	{"bad-request", "", "", "400 that names no item and no field *", instead(answering(http.StatusBadRequest))},
	{"redirect", "URL", "", "307 to URL *", parseRedirect},
	{"late-commit", "TIME", "5s", "reset the connection now, commit TIME later", timed(func(x *exchange, d time.Duration) { x.delay = max(d, 1) })},
	{"413", "BYTES", "", "413 for a body larger than BYTES", counted(func(x *exchange, n int) { x.maxBody = int64(n) })},
	{"skew", "TIME", "", "another clock (Date, created_at): +10m, -1h", timed(func(x *exchange, d time.Duration) { x.skew += d })},
	{"insert", "ROWS", "1", "ROWS new rows before a list is read", counted(func(x *exchange, n int) { x.listChange.inserts += n })},
	{"delete", "ROWS", "1", "the first ROWS rows go before a list is read", counted(func(x *exchange, n int) { x.listChange.deletes += n })},
	{"repeat-page", "", "", "a list's page k answers page k-1", plain(action{prepare: func(x *exchange) { x.listChange.repeat = true }})},
	{"rewrite", "FIELD:WHAT", "", "the field is stored in another form, see --rewrite", parseRewriteFault},
	{"lookup-case", "HOW", "insensitive", "filters regard case, see --lookup-case", chosen(func(x *exchange) *LookupCase { return &x.lookup.Case })},
	{"lookup-space", "HOW", "collapse", "or white space, see --lookup-space", chosen(func(x *exchange) *LookupSpace { return &x.lookup.Space })},
	{"lookup-unicode", "HOW", "nfc", "or Unicode form, see --lookup-unicode", chosen(func(x *exchange) *LookupUnicode { return &x.lookup.Unicode })},
	{"fill", "FIELDS", "", "empty fields are filled, see --fill", parseFillFault},
	{"lock", "STATUS", "409", "409 or 400 as if another write was under way *", parseLock},
	{"item-errors", "HOW", "207", "how bad items are told, see --item-errors", chosen(func(x *exchange) *ItemErrors { return &x.answers.Items })},
	{"error-index", "N", "1", "errors count items from N, 0 or 1", chosen(func(x *exchange) *ErrorIndex { return &x.answers.Index })},
	{"bulk-answer", "HOW", "ids", "what a bulk write answers, see --bulk-answer", chosen(func(x *exchange) *BulkAnswer { return &x.answers.Bulk })},
	{"patch-answer", "HOW", "id-only", "what an update answers, see --patch-answer", chosen(func(x *exchange) *PatchAnswer { return &x.answers.Patch })},
	{"bom", "", "", "the answer's JSON begins with a byte order mark", plain(action{prepare: func(x *exchange) { x.answers.BOM = true }})},
	{"truncate", "BYTES", "half", "the connection ends within the answer's body", parseCut(true)},
	{"shorten", "BYTES", "half", "the body ends early, the transfer looks whole", parseCut(false)},
	{"wrong-count", "N", "-1", "N rows too many in an answer, or too few: +1, -1", parseWrongCount},
	{"id-twice", "", "", "an answer's last row bears the id of its first", plain(action{spoil: func(_ *exchange, a *bufferedAnswer) { a.repeatID() }})},
	{"slow", "BYTES", "", "the answer trickles, BYTES a second", parseSlow},
	{"stall", "", "", "half an answer, and then nothing more", plain(action{spoil: func(_ *exchange, a *bufferedAnswer) { a.stall = true }})},
}

// parseAction reads a WHAT without its commit-then-.
func parseAction(what string, then bool) (action, error) {
	name, arg, given := strings.Cut(what, "=")
	if given && arg == "" {
		return action{}, fmt.Errorf("%s: nothing after the equals sign", name)
	}
	act, err := lookAction(name, arg, given)
	switch {
	case err != nil:
		return action{}, err
	case then && act.instead == nil:
		return action{}, fmt.Errorf("%s cannot follow %s", name, thenPrefix)
	}
	return act, nil
}

func lookAction(name, arg string, given bool) (action, error) {
	for _, e := range effects {
		switch {
		case e.name != name || isStatus(name) && !given:
			continue
		case e.arg == "" && given:
			return action{}, fmt.Errorf("%s takes no argument", name)
		case e.arg != "" && cmp.Or(arg, e.standard) == "":
			return action{}, fmt.Errorf("%s needs an argument: %s=%s", name, name, e.arg)
		}
		act, err := e.parse(cmp.Or(arg, e.standard))
		if err != nil {
			return action{}, fmt.Errorf("%s=%s: %w", name, e.arg, err)
		}
		return act, nil
	}
	if isStatus(name) {
		return parseStatus(name, arg)
	}
	return action{}, fmt.Errorf("%s: no such fault", name)
}

func isStatus(name string) bool {
	n, err := strconv.Atoi(name)
	return err == nil && n >= 400 && n <= 599
}

// parseStatus reads a status code, with a Retry-After: 429=2 seconds, 503=date:2
// the time two seconds from now.
func parseStatus(name, arg string) (action, error) {
	status, _ := strconv.Atoi(name)
	if arg == "" {
		return action{instead: answering(status)}, nil
	}
	text, date := strings.CutPrefix(arg, "date:")
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 0 {
		return action{}, fmt.Errorf("%s=SECONDS or %s=date:SECONDS", name, name)
	}
	return action{instead: func(x *exchange) error {
		after := text
		if date {
			after = x.now().Add(time.Duration(seconds) * time.Second).UTC().Format(http.TimeFormat)
		}
		x.w.Header().Set("Retry-After", after)
		return answering(status)(x)
	}}, nil
}

func plain(a action) func(string) (action, error) {
	return func(string) (action, error) { return a, nil }
}

func instead(f func(*exchange) error) func(string) (action, error) {
	return plain(action{instead: f})
}

// timed makes the parser of an effect that takes a time.
func timed(set func(*exchange, time.Duration)) func(string) (action, error) {
	return func(arg string) (action, error) {
		d, err := time.ParseDuration(arg)
		if err != nil {
			return action{}, errors.New("not a time such as 5s or 10m")
		}
		return action{prepare: func(x *exchange) { set(x, d) }}, nil
	}
}

// counted makes the parser of an effect that takes a number.
func counted(set func(*exchange, int)) func(string) (action, error) {
	return func(arg string) (action, error) {
		n, err := positive(arg)
		return action{prepare: func(x *exchange) { set(x, n) }}, err
	}
}

// chosen makes the parser of an effect that sets one of the exchange's choices.
func chosen[T choice](of func(*exchange) *T) func(string) (action, error) {
	return func(arg string) (action, error) {
		var v T
		err := SwitchOf(&v).Set(arg)
		return action{prepare: func(x *exchange) { *of(x) = v }}, err
	}
}

func positive(arg string) (int, error) {
	n, err := strconv.Atoi(arg)
	if err != nil || n < 1 {
		return 0, errors.New("not a whole number from 1")
	}
	return n, nil
}

func parseSlow(arg string) (action, error) {
	n, err := positive(arg)
	return action{spoil: func(_ *exchange, a *bufferedAnswer) { a.pace = n }}, err
}

func parseWrongCount(arg string) (action, error) {
	n, err := strconv.Atoi(arg)
	if err != nil || n == 0 {
		return action{}, errors.New("not a number such as +1 or -1")
	}
	return action{spoil: func(_ *exchange, a *bufferedAnswer) { a.recount(n) }}, nil
}

// half is the argument of a cut in the middle.
const half = "half"

// parseCut makes the parser of a body cut after so many bytes; when it breaks,
// the connection ends there too.
func parseCut(breaks bool) func(string) (action, error) {
	return func(arg string) (action, error) {
		n := 0
		if arg != half {
			var err error
			if n, err = positive(arg); err != nil {
				return action{}, err
			}
		}
		return action{spoil: func(_ *exchange, a *bufferedAnswer) { a.cut(n, breaks) }}, nil
	}
}

func parseRedirect(arg string) (action, error) {
	if u, err := url.Parse(arg); err != nil || u.Host == "" {
		return action{}, errors.New("not a URL with a host")
	}
	return action{instead: func(x *exchange) error {
		x.w.Header().Set("Location", arg)
		return x.reply(http.StatusTemporaryRedirect, htmlType, page("Temporary Redirect"))
	}}, nil
}

func parseRewriteFault(arg string) (action, error) {
	r, err := ParseRewrite(arg)
	return action{fields: []string{r.field}, prepare: func(x *exchange) {
		x.storage.Rewrites = append(slices.Clip(x.storage.Rewrites), r)
	}}, err
}

func parseFillFault(arg string) (action, error) {
	fields := strings.Split(arg, ",")
	return action{fields: fields, prepare: func(x *exchange) {
		x.storage.Fill = append(slices.Clip(x.storage.Fill), fields...)
	}}, nil
}

// streamCodes are the error codes of RFC 9113, section 7, by number.
var streamCodes = []string{
	"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
	"FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
	"INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
}

func parseStreamReset(arg string) (action, error) {
	code := slices.Index(streamCodes, arg)
	if code < 0 {
		return action{}, errors.New("not one of " + strings.Join(streamCodes, ", "))
	}
	return action{instead: func(x *exchange) error { return x.resetStream(uint32(code)) }}, nil
}

// FaultHelp describes the WHATs, one a line.
func FaultHelp() string {
	var b strings.Builder
	for _, e := range effects {
		name := e.name
		switch {
		case e.arg != "" && e.standard != "":
			name += "[=" + e.arg + "]"
		case e.arg != "":
			name += "=" + e.arg
		}
		does := e.does
		if e.standard != "" {
			does += " (" + e.standard + ")"
		}
		fmt.Fprintf(&b, "  %-20s %s\n", name, does)
	}
	fmt.Fprintf(&b, "  %-20s %s\n", "STATUS", "400 to 599, as 401, 404, 500 or 504, and nothing done *")
	fmt.Fprintf(&b, "  %-20s %s\n", "429=SECONDS", "any status with Retry-After; 503=date:SECONDS as a date *")
	return b.String()
}
