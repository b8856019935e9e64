package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"flytt/internal/api"
	"flytt/internal/api/probe"
	"flytt/internal/text"
	"flytt/mappings"
)

// checkConnection goes the way to the API, and looks at it if it gets there.
func (d *doctor) checkConnection(ctx context.Context) {
	if slices.ContainsFunc(d.checks, func(c check) bool { return c.Status == statusFail && c.Name != "run directory" }) {
		return
	}
	client, err := d.connection.open(d.settings, slog.New(slog.DiscardHandler))
	if err != nil {
		d.failed(groupSettings, "settings", err, "mend the setting")
		return
	}
	d.target = d.connection.host(client)
	if !d.reach(probe.Connect(ctx, client)) {
		return
	}
	d.show()
	p := probe.Survey(ctx, client, probeOptions(d.resource))
	d.requests = p.Requests
	if d.first(p) {
		d.show()
		d.findings(p)
	}
}

// reach tells how far the way to the API is open.
func (d *doctor) reach(r *probe.Connection) bool {
	const g = groupConnection
	switch {
	case r.ProxyErr != nil:
		d.failed(g, "proxy", r.ProxyErr, "HTTPS_PROXY and HTTP_PROXY are like http://host:port")
		return false
	case r.Proxy != "":
		d.note(g, "proxy", statusOK, r.Proxy+" (from the environment); DNS and TCP are those of the proxy", "")
	default:
		d.note(g, "proxy", statusOK, "none", "")
	}
	if r.DNSErr != nil {
		d.failed(g, "DNS", r.DNSErr, "check FLYTT_BASE_URL for a slip, and the network; behind a proxy set HTTPS_PROXY")
		return false
	}
	d.note(g, "DNS", statusOK, addresses(r.Addresses), "")
	if r.TCPErr != nil {
		d.failed(g, "TCP", r.TCPErr, "nothing answers there: check FLYTT_BASE_URL, the firewall, and whether a proxy is needed (HTTPS_PROXY)")
		return false
	}
	d.note(g, "TCP", statusOK, r.Host+" in "+short(r.Connect), "")
	return d.certificate(r)
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

func (d *doctor) certificate(r *probe.Connection) bool {
	const g, name = groupConnection, "TLS"
	days := int(time.Until(r.Expires).Hours() / 24)
	by := fmt.Sprintf("certificate by %s, %s left", r.Issuer, text.Counted(days, "day"))
	switch {
	case r.TLSErr != nil && r.Issuer != "":
		d.note(g, name, statusFail, fmt.Sprintf("%v (%s)", r.TLSErr, by), api.CertificateHint(r.TLSErr))
		return false
	case r.TLSErr != nil:
		d.failed(g, name, r.TLSErr, "the server does not speak TLS 1.2 or later there: check FLYTT_BASE_URL and any proxy")
		return false
	case !r.Secure && r.Proxy != "":
		d.note(g, name, statusSkip, "through the proxy; the request below shows whether it works", "")
	case !r.Secure:
		d.note(g, name, statusSkip, "plain http, which never leaves this machine", "")
	case days < fewDays:
		d.note(g, name, statusWarn, r.TLS+", "+by, "whoever runs the API has to renew it")
	default:
		d.note(g, name, statusOK, r.TLS+", "+by, "")
	}
	return true
}

// first tells what became of the first request.
func (d *doctor) first(p *probe.Result) bool {
	const g = groupConnection
	e := &p.First
	if e.Err != nil {
		d.failed(g, "HTTP", e.Err, "the connection is there and no answer comes: check the proxy, and try again later")
		return false
	}
	if e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden || e.Status/100 == 2 && e.Problem == "" {
		d.note(g, "HTTP", statusOK, d.exchange(p), "")
	} else {
		d.badAnswer(e)
		return false
	}
	if e.Status/100 != 2 {
		refused := &api.StatusError{Status: e.Status}
		words := map[int]string{http.StatusUnauthorized: "not known (401)", http.StatusForbidden: "known, but may not read this list (403)"}
		d.note(g, "credentials", statusFail, words[e.Status], refused.Hint())
		return false
	}
	d.note(g, "credentials", statusOK, "accepted", "")
	d.listed(p)
	d.clock(e)
	d.busy(p)
	return true
}

func (d *doctor) exchange(p *probe.Result) string {
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
func (d *doctor) badAnswer(e *api.Exchange) {
	const g = groupConnection
	switch {
	case e.Problem != "":
		d.note(g, "HTTP", statusFail, fmt.Sprintf("%d, but %s (%s)", e.Status, e.Problem, cmp.Or(e.ContentType, "no content type")),
			"something else answers there: check FLYTT_BASE_URL and any proxy")
	case e.Status >= 500 || e.Status == http.StatusTooManyRequests:
		d.note(g, "HTTP", statusFail, "the API answered "+statusOf(e.Status), "it has a problem of its own, or too much to do: try again later")
	default:
		refused := &api.StatusError{Status: e.Status}
		d.note(g, "HTTP", statusFail, "the API answered "+statusOf(e.Status), refused.Hint())
	}
}

func statusOf(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}

func (d *doctor) listed(p *probe.Result) {
	if p.Rows == 0 {
		d.note(groupConnection, "list", statusWarn, "works, and is empty or out of scope",
			"if rows are to be there, check FLYTT_CUSTOMER_ID and what the application is activated for; what needs rows is skipped below")
		return
	}
	d.note(groupConnection, "list", statusOK, "works; looked at "+text.Counted(p.Rows, "row"), "")
}

// muchSkew is how far two clocks may be apart unsaid.
const muchSkew = 30 * time.Second

func (d *doctor) clock(e *api.Exchange) {
	const g, name = groupConnection, "clock"
	apart := e.Skew.Abs().Round(time.Second)
	switch {
	case !e.Dated:
		d.note(g, name, statusSkip, "the API does not tell the time", "")
	case apart > muchSkew:
		way := "ahead of"
		if e.Skew > 0 {
			way = "behind"
		}
		d.note(g, name, statusWarn, fmt.Sprintf("%s %s the API's", apart, way), "set this machine's clock; until then mind dates that are compared with created_at (--since)")
	default:
		d.note(g, name, statusOK, fmt.Sprintf("at most %s from the API's", max(apart, time.Second)), "")
	}
}

func (d *doctor) busy(p *probe.Result) {
	if p.Busy == 0 {
		return
	}
	text := fmt.Sprintf("asked for fewer requests, %s", text.Counted(p.Busy, "time"))
	if p.RetryAfter {
		text += ", with Retry-After"
	}
	d.note(groupConnection, "rate", statusWarn, text, "set rate: 5 (requests per second) in flytt.yaml, or less")
}

// probeOptions says what the fields of r are good for.
func probeOptions(r *mappings.Resource) probe.Options {
	o := probe.Options{Path: r.Path, Key: r.Key, Created: created(r)}
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
	"page_size":      "flytt goes on to the next page all the same; nothing to set",
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
func (d *doctor) findings(p *probe.Result) {
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
			d.note(groupAPI, name, statusSkip, cmp.Or(f.Detail, "not known"), "")
		case probe.Expected:
			d.note(groupAPI, name, statusOK, text, "")
		case probe.Unusual:
			d.note(groupAPI, name, statusWarn, text, cmp.Or(settingFor(&f), topicFixes[kind]))
		case probe.Broken:
			d.note(groupAPI, name, statusFail, text, "flytt cannot work with that: tell whoever runs the API")
		}
	}
	d.note(groupAPI, "bulk writes", statusSkip, "all or nothing? only a write would tell", "once you know, set bulk: {atomicity: all} or partial in flytt.yaml: less has to be looked up")
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
