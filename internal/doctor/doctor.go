// Package doctor finds out whether flytt can work on this machine: whether run directories can
// be written, whether the API can be reached, and how the API behaves where its reference says
// nothing. It returns checks; each failed one says what to do. The caller shows them.
package doctor

import (
	"context"

	"flytt/internal/api"
	"flytt/internal/api/probe"
	"flytt/mappings"
)

// Check is one thing that was looked at.
type Check struct {
	Group  Group  `json:"group"`
	Name   string `json:"name"`
	Status Status `json:"status"`
	Text   string `json:"text"`          // of a check with Err empty
	Fix    string `json:"fix,omitempty"` // what to do; on every check that failed
	Err    error  `json:"-"`             // why it failed, if that is an error; its own hint comes before Fix
}

// Status says how a check ended.
type Status string

// The statuses.
const (
	OK   Status = "ok"
	Warn Status = "warn"
	Fail Status = "fail"
	Skip Status = "skip"
)

// Group says what a check is about.
type Group string

// The groups, in their order.
const (
	Settings   Group = "settings"
	Connection Group = "connection"
	API        Group = "api"
)

// Examine goes the way to the API of client, and looks at the list of r if it gets there: what
// a fault stands in the way of is not tried. It calls note with each check as it is known, and
// returns how many requests were made, all of them GET.
func Examine(ctx context.Context, client *api.Client, r *mappings.Resource, note func(Check)) (requests int) {
	way := notes{Connection, note}
	if !way.reach(probe.Connect(ctx, client)) {
		return 0
	}
	p := probe.Survey(ctx, client, probeOptions(r))
	if way.firstRequest(p) {
		notes{API, note}.findings(p)
	}
	return p.Requests
}

// notes makes the checks of a group known.
type notes struct {
	group Group
	note  func(Check)
}

func (n notes) add(status Status, name, text, fix string) {
	n.note(Check{Group: n.group, Name: name, Status: status, Text: text, Fix: fix})
}

func (n notes) failed(name string, err error, fix string) {
	n.note(Check{Group: n.group, Name: name, Status: Fail, Err: err, Fix: fix})
}
