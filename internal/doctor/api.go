package doctor

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"flytt/internal/api"
	"flytt/internal/api/probe"
	"flytt/internal/text"
	"flytt/mappings"
)

// reach tells how far the way to the API is open.
func (n notes) reach(r *probe.Connection) bool {
	switch {
	case r.ProxyErr != nil:
		n.failed("proxy", r.ProxyErr, "HTTPS_PROXY and HTTP_PROXY are like http://host:port")
		return false
	case r.Proxy != "":
		n.add(OK, "proxy", r.Proxy+" (from the environment); DNS and TCP are those of the proxy", "")
	default:
		n.add(OK, "proxy", "none", "")
	}
	if r.DNSErr != nil {
		n.failed("DNS", r.DNSErr, "check FLYTT_BASE_URL for a typing error, and the network; behind a proxy set HTTPS_PROXY")
		return false
	}
	n.add(OK, "DNS", addresses(r.Addresses), "")
	if r.TCPErr != nil {
		n.failed("TCP", r.TCPErr, "nothing answers there: check FLYTT_BASE_URL, the firewall, and whether a proxy is needed (HTTPS_PROXY)")
		return false
	}
	n.add(OK, "TCP", r.Host+" in "+short(r.Connect), "")
	return n.certificate(r)
}

func addresses(all []string) string {
	text := strings.Join(all[:min(len(all), 2)], ", ")
	if n := len(all) - 2; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// short returns d to a tenth of a millisecond, or as a few digits.
func short(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// fewDays is when a certificate is worth a warning.
const fewDays = 14

func (n notes) certificate(r *probe.Connection) bool {
	const name = "TLS"
	days := int(time.Until(r.Expires).Hours() / 24)
	by := fmt.Sprintf("certificate by %s, %s left", r.Issuer, text.Counted(days, "day"))
	switch {
	case r.TLSErr != nil && r.Issuer != "":
		n.add(Fail, name, fmt.Sprintf("%v (%s)", r.TLSErr, by), api.CertificateHint(r.TLSErr))
		return false
	case r.TLSErr != nil:
		n.failed(name, r.TLSErr, "the server does not speak TLS 1.2 or later there: check FLYTT_BASE_URL and any proxy")
		return false
	case !r.Secure && r.Proxy != "":
		n.add(Skip, name, "through the proxy; the request below shows whether it works", "")
	case !r.Secure:
		n.add(Skip, name, "plain http, which never leaves this machine", "")
	case days < fewDays:
		n.add(Warn, name, r.TLS+", "+by, "whoever runs the API has to renew it")
	default:
		n.add(OK, name, r.TLS+", "+by, "")
	}
	return true
}

// firstRequest tells what became of the first request.
func (n notes) firstRequest(p *probe.Result) bool {
	e := &p.First
	if e.Err != nil {
		n.failed("HTTP", e.Err, "connected, but no answer: check the proxy, and try again later")
		return false
	}
	if e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden || e.Status/100 == 2 && e.Problem == "" {
		n.add(OK, "HTTP", exchange(p), "")
	} else {
		n.badAnswer(e)
		return false
	}
	if e.Status/100 != 2 {
		refused := &api.StatusError{Status: e.Status}
		words := map[int]string{http.StatusUnauthorized: "not known (401)", http.StatusForbidden: "known, but may not read this list (403)"}
		n.add(Fail, "credentials", words[e.Status], refused.Hint())
		return false
	}
	n.add(OK, "credentials", "accepted", "")
	n.listed(p)
	n.clock(e)
	n.busy(p)
	return true
}

func exchange(p *probe.Result) string {
	e := &p.First
	text := fmt.Sprintf("%s, %s", e.Protocol, short(e.Took))
	if p.Fastest > 0 && p.Fastest < e.Took {
		text += ", fastest " + short(p.Fastest)
	}
	if e.Compressed {
		return text + ", compressed"
	}
	return text + ", not compressed"
}

// badAnswer tells of an answer that is neither a list nor about credentials.
func (n notes) badAnswer(e *api.Exchange) {
	switch {
	case e.Problem != "":
		n.add(Fail, "HTTP", fmt.Sprintf("%d, but %s (%s)", e.Status, e.Problem, cmp.Or(e.ContentType, "no content type")),
			"something else answers there: check FLYTT_BASE_URL and any proxy")
	case e.Status >= 500 || e.Status == http.StatusTooManyRequests:
		n.add(Fail, "HTTP", "the API answered "+api.StatusText(e.Status), "it has a problem of its own, or is overloaded: try again later")
	default:
		refused := &api.StatusError{Status: e.Status}
		n.add(Fail, "HTTP", "the API answered "+api.StatusText(e.Status), refused.Hint())
	}
}

func (n notes) listed(p *probe.Result) {
	if p.Rows == 0 {
		n.add(Warn, "list", "works, and is empty or out of scope",
			"if there should be rows, check FLYTT_CUSTOMER_ID and what the application is activated for; checks that need rows are skipped")
		return
	}
	n.add(OK, "list", "works; looked at "+text.Counted(p.Rows, "row"), "")
}

// muchSkew is how far two clocks may be apart unsaid.
const muchSkew = 30 * time.Second

func (n notes) clock(e *api.Exchange) {
	const name = "clock"
	apart := e.Skew.Abs().Round(time.Second)
	switch {
	case !e.Dated:
		n.add(Skip, name, "the API does not tell the time", "")
	case apart > muchSkew:
		way := "ahead of"
		if e.Skew > 0 {
			way = "behind"
		}
		n.add(Warn, name, fmt.Sprintf("%s %s the API's", apart, way), "set this machine's clock; until then, be careful with dates that are compared with created_at (--since)")
	default:
		n.add(OK, name, fmt.Sprintf("at most %s from the API's", max(apart, time.Second)), "")
	}
}

func (n notes) busy(p *probe.Result) {
	if p.Busy == 0 {
		return
	}
	text := fmt.Sprintf("asked for fewer requests, %s", text.Counted(p.Busy, "time"))
	if p.RetryAfter {
		text += ", with Retry-After"
	}
	n.add(Warn, "rate", text, "set rate: 5 (requests per second) in flytt.yaml, or less")
}

// probeOptions says what the fields of r are good for.
func probeOptions(r *mappings.Resource) probe.Options {
	o := probe.Options{Path: r.Path, Key: r.Key, Created: r.CreatedField()}
	for i := range r.Fields {
		f := &r.Fields[i]
		o.Known = append(o.Known, f.Name)
		switch {
		case f.Type == "reference":
			o.References = append(o.References, f.Name)
		case len(f.Apply) > 0 && f.Private && f.Format != "email":
			o.Numbers = append(o.Numbers, f.Name)
		case f.Type == "string" && !f.Private && slices.Contains(f.Operators(), "icontains"):
			o.Text = append(o.Text, f.Name)
		}
	}
	return o
}

// topicNames are what the topics of a probe are called, where their own name
// does not do.
var topicNames = map[string]string{
	"paging":            "pages",
	"page_past_end":     "past the last page",
	"page_size":         "page size",
	"unpaged":           "without pages",
	"jsonl":             "_jsonl",
	"order":             "_order_by",
	"created_filter":    "filter by time",
	"slim":              "_slim",
	"statistics":        "_statistics",
	"negation":          "negation with !",
	"isnull":            "true for isnull",
	"case_folding":      "icontains folds",
	"get":               "single record",
	"unknown_parameter": "unknown parameter",
	"error_body":        "error body",
}

// topicFixes say what an unusual answer means for the user, and what to set.
var topicFixes = map[string]string{
	"paging":         "flytt export reads the list in one request then, and needs no setting",
	"page_past_end":  "flytt stops at rows that come again; nothing to set",
	"page_size":      "flytt reads the next page anyway; nothing to set",
	"order":          "flytt export reads twice to prove that nothing is missing; nothing to set",
	"created_filter": "flytt export reads twice to prove that nothing is missing; nothing to set",
	"negation":       "leave filters with ! out: --where cannot rely on them",
	"isnull":         "filters by isnull cannot be relied on",
	"slim":           "nothing to set; second readings take longer",
	"fields":         "new fields are kept in JSONL, and elsewhere with --extra",
	"unique":         "it does not tell records apart: choose another key in the mapping, if there is one",
	"relation":       "flytt takes every form; where the id is not shown, exports lack it",
	"form":           "flytt compares these by their digits; nothing to set",
}

// findings turns what was seen of the API into checks.
func (n notes) findings(p *probe.Result) {
	for _, f := range p.Findings {
		kind, field, _ := strings.Cut(f.Topic, ".")
		name := cmp.Or(topicNames[f.Topic], field, f.Topic)
		if kind == "unique" {
			name += " unique"
		}
		text := f.Answer
		if f.Detail != "" && text != "" {
			text += " (" + f.Detail + ")"
		}
		switch f.Verdict {
		case probe.Unknown:
			n.add(Skip, name, cmp.Or(f.Detail, "not known"), "")
		case probe.Expected:
			n.add(OK, name, text, "")
		case probe.Unusual:
			n.add(Warn, name, text, cmp.Or(settingFor(&f), topicFixes[kind]))
		case probe.Broken:
			n.add(Fail, name, text, "flytt cannot work with that: tell whoever runs the API")
		}
	}
	n.add(Skip, "bulk writes", "all or nothing? only a write would show", "once you know, set bulk: {atomicity: all} or partial in flytt.yaml: fewer look-ups are needed")
}

// settingFor names the setting or flag that fits what was seen, or returns "".
func settingFor(f *probe.Finding) string {
	if size, ok := strings.CutPrefix(f.Answer, "cut to "); ok && f.Topic == "page_size" {
		return "flytt export --page-size " + size + " asks for what it gets"
	}
	word, _, _ := strings.Cut(f.Answer, ",")
	if f.Topic != "isnull" || word != "True" && word != "1" {
		return ""
	}
	return `set list: {isnull: "` + word + `"} in flytt.yaml`
}
