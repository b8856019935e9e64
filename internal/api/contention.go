package api

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"flytt/internal/jsonscan"
)

// A server may refuse a write because another one is under way: it cannot lock what
// both of them touch, or would have to undo one of the two. Nothing is wrong with the
// rows then, and the same write goes through when it is sent alone.

// lockWords match how databases and servers report a lock or a concurrent update.
var lockWords = anyOf(
	// PostgreSQL, SQLSTATE 40P01, 55P03 and 40001, which Django and Rails pass on.
	`deadlock`,
	`could not obtain lock`,
	`lock timeout`,
	`could not serialize access`,
	`serialization failure`,
	`serializationfailure`, // psycopg's class
	`lock ?not ?available`, // the condition, and psycopg's class
	`sqlstate\W{0,3}(40001|40p01|55p03)`,
	// MySQL and MariaDB: 1205, 1213 and 1020.
	`lock wait timeout`,
	`try restarting transaction`,
	`record has changed since last read`,
	// Oracle: ORA-00054, ORA-00060 and ORA-08177.
	`resource busy and acquire with nowait`,
	`can't serialize access`,
	`ora-(00054|00060|08177)\b`,
	// SQL Server: 1205 says deadlock, 1222 and 3960.
	`lock request time ?out`,
	`snapshot isolation transaction aborted`,
	// SQLite.
	`database (table )?is locked`,
	// MongoDB, DynamoDB.
	`write ?conflict`,
	`transaction ?conflict`,
	// Salesforce.
	`unable[ _]to[ _](lock|obtain exclusive access)`,
	// Optimistic locking: Hibernate and JPA, Entity Framework, OrientDB, iDempiere.
	`optimistic ?lock`,
	`stale ?object`,
	`(updated|changed|modified|deleted) by (another|other) (transaction|user|process|session|request)`,
	`dbupdateconcurrency`,
	`concurrent ?(update|modification|write|transaction|access)`,
	`concurrency (conflict|violation|error)`,
	// In a server's own words.
	`(unable|failed|cannot|can't|could ?n[o']t|not able) (to )?(acquire|obtain|get|take) (a |an |the )?(\w+ ){0,2}lock`,
	`(row|record|object|resource|table) is (currently|temporarily) (in use|locked)`, // but a name or an address may be "already in use"
	`(in use|locked|being (used|modified|updated|changed|edited|processed)) by (another|other) `,
	`lock conflict`,
)

// retryWords only ask to try again, which servers also say of wrong input.
var retryWords = anyOf(
	`(please )?(try|retry) (again|the (request|operation|transaction))`,
	`please retry`,
	`(another|other) (request|operation|transaction|write|update)s? (is|are) (already |currently )?(in progress|running|under way|pending)`,
)

func anyOf(patterns ...string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)` + strings.Join(patterns, "|"))
}

// Contention is what a refusal says about other writes as its cause.
type Contention struct {
	Request bool         // the request as a whole was refused because of another write
	Items   map[int]bool // the items that were refused because of another write
}

// Any reports whether another write is a cause of the refusal.
func (c *Contention) Any() bool { return c.Request || len(c.Items) > 0 }

// Contention returns whether o, a write of sent that was refused for the given reasons,
// failed because of other writes; o may also have a status of success. The request as a
// whole was refused because of another write if the API says so; or if it names a
// conflict or asks to try again, blames no field, and other writes of the client were
// in flight. It was not, if items are named for other reasons.
func (o *Outcome) Contention(sent Sent, refusals []Refusal) (c Contention) {
	if !IsRefusal(o.Status) && !o.OK() {
		return c
	}
	said, likely, blamed := o.Status == http.StatusLocked, o.Status == http.StatusConflict, false
	c.Items = map[int]bool{}
	var named []int
	for i := range refusals {
		r := &refusals[i]
		locked, about := lockWords.MatchString(r.Message), r.Item >= 0 && len(sent.Items) > 1
		switch {
		case about && locked:
			c.Items[r.Item] = true
		case about:
			named = append(named, r.Item)
		case locked:
			said = true
		case sent.hasField(r.Field):
			blamed = true
		case retryWords.MatchString(r.Message):
			likely = true
		}
	}
	other := slices.ContainsFunc(named, func(item int) bool { return !c.Items[item] })
	c.Request = !other && len(c.Items) == 0 && (said || likely && !blamed && o.Overlapped)
	return c
}

// hasField reports whether an item that was sent has the field called name.
func (s *Sent) hasField(name string) bool {
	name, _, _ = strings.Cut(name, ".")
	if name == "" {
		return false
	}
	for _, item := range s.Items {
		if jsonscan.Member(item, name) != nil {
			return true
		}
	}
	return false
}

// RecordConflict records that o was refused because of other writes. If writes of the
// client were in flight at the same time, fewer are sent at once from now on.
func (c *Client) RecordConflict(o Outcome) {
	if o.Overlapped {
		c.writes.recordConflict(o.permitRound)
	}
}

// Exclusive makes writes one at a time: each waits until no other write of the client
// is in flight, and later ones wait until it has ended.
type Exclusive struct{ client *Client }

// Exclusive returns a way to make exclusive writes.
func (c *Client) Exclusive() Exclusive { return Exclusive{c} }

// BulkWrite is [Client.BulkWrite] as an exclusive write.
func (a Exclusive) BulkWrite(ctx context.Context, path string, body, into []byte) Outcome {
	return a.client.write(ctx, &request{method: http.MethodPost, path: path, body: body, into: into, exclusive: true})
}

// Update is [Client.Update] as an exclusive write.
func (a Exclusive) Update(ctx context.Context, path, id string, body, into []byte) Outcome {
	if err := CheckID(id); err != nil {
		return Outcome{Class: NotSent, Err: err}
	}
	return a.client.write(ctx, &request{method: http.MethodPatch, path: path, id: id, body: body, into: into, exclusive: true})
}

// Delete is [Client.Delete] as an exclusive write.
func (a Exclusive) Delete(ctx context.Context, path, id string) Outcome {
	if err := CheckID(id); err != nil {
		return Outcome{Class: NotSent, Err: err}
	}
	return a.client.write(ctx, &request{method: http.MethodDelete, path: path, id: id, exclusive: true})
}
