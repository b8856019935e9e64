package sandbox

import (
	"net/http"
	"time"

	"flytt/mappings"
)

// Options says how a Sandbox behaves. The zero value is a sandbox in memory
// with every embedded resource, the value "sandbox" for all seven credentials,
// and the friendliest reading of everything the API's reference leaves open.
type Options struct {
	DB          string               // database file; empty: nothing is kept, see New
	Credentials Credentials          // what requests have to carry
	Tenants     []string             // customer ids accepted besides Credentials.CustomerID
	Resources   []*mappings.Resource // nil: all embedded ones
	Now         func() time.Time     // the server's clock; nil: time.Now

	Atomicity   Atomicity // what a bulk write with a bad item does to the good ones
	ItemID      ItemID    // what an id in a bulk item means
	UniqueKey   bool      // two rows of a tenant cannot have the same key (custom_id)
	PastEnd     PastEnd   // what a page past the end is
	MaxPageSize int       // larger page sizes are cut down to it; 0: no bound
	MaxBody     int64     // bytes of a request body, beyond it 413; 0: 32 MiB
	MaxItems    int       // items of a bulk write, beyond it 413; 0: no bound

	// Log is told of every request when it is over. It is called concurrently.
	Log func(Request)

	// Intercept is asked at each Point of a request and may take it over: it
	// answers by itself, or panics with http.ErrAbortHandler to cut the
	// connection, and returns true to end the handling there. What was committed
	// stays. It is called concurrently.
	Intercept func(p Point, w http.ResponseWriter, r *http.Request) (done bool)
}

// Credentials are the values of the seven headers. An empty one means "sandbox".
type Credentials struct {
	CustomerID       string
	ApplicationID    string
	ServiceID        string
	ServiceVersionID string
	ClientCT         string
	ClientEntity     string
	ClientSecret     string
}

// DefaultCredential is the value of a credential that Options leave empty.
const DefaultCredential = "sandbox"

// customerHeader names the tenant whose rows a request sees.
const customerHeader = "X-Pigello-Customer-Id"

// header is a credential header, in canonical form, and its value.
type header struct{ name, value string }

// headers returns the seven headers, the customer's first.
func (c Credentials) headers() []header {
	hs := []header{
		{customerHeader, c.CustomerID},
		{"X-Pigello-Application-Id", c.ApplicationID},
		{"X-Pigello-Service-Id", c.ServiceID},
		{"X-Pigello-Service-Version-Id", c.ServiceVersionID},
		{"X-Pigello-Client-Ct", c.ClientCT},
		{"X-Pigello-Client-Entity", c.ClientEntity},
		{"X-Pigello-Client-Secret", c.ClientSecret},
	}
	for i := range hs {
		if hs[i].value == "" {
			hs[i].value = DefaultCredential
		}
	}
	return hs
}

// Atomicity says what a bulk write with a bad item does to the good ones. The
// answer is the same: 400 and a list of errors aligned with the items.
type Atomicity uint8

const (
	All     Atomicity = iota // nothing is written
	Partial                  // the good items are written
)

// ItemID says what an id in a bulk item means.
type ItemID uint8

const (
	Updates ItemID = iota // the item changes that row
	Refused               // the item is in error
	Ignored               // the item makes a new row
)

// PastEnd says what a page past the end is.
type PastEnd uint8

const (
	Empty    PastEnd = iota // 200 and no rows
	NotFound                // 404, page 1 excepted
)

// Point is a moment in the handling of a request.
type Point uint8

const (
	Arrived   Point = iota // nothing has been looked at
	Storing                // a write has been read and its transaction is about to begin
	Committed              // a write is durable, the answer not yet on its way
)

// Request is the record of one request, without any value it carried.
type Request struct {
	Method    string
	Path      string // without the query
	Status    int    // 0: the connection was cut before an answer
	Rows      int    // rows in the request's body, or in the answer of a read
	Committed int    // rows written, changed or deleted for good
}

const defaultMaxBody = 32 << 20

// withDefaults fills in what o leaves open.
func (o Options) withDefaults() (Options, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Resources != nil {
		return o, nil
	}
	for _, name := range mappings.Resources() {
		r, err := mappings.Lookup(name)
		if err != nil {
			return o, err
		}
		o.Resources = append(o.Resources, r)
	}
	return o, nil
}
