package sandbox

import (
	"fmt"
	"net/http"
	"time"

	"flytt/mappings"
)

// Options says how a Sandbox behaves. The zero value is a sandbox in memory with every
// embedded resource, the value "sandbox" for all seven credentials, and the most
// convenient behaviour wherever the API's reference leaves it open.
type Options struct {
	DB          string               // database file; empty: nothing is kept, see New
	Credentials Credentials          // what requests have to carry
	Tenants     []string             // customer ids accepted besides Credentials.CustomerID
	Resources   []*mappings.Resource // nil: all embedded ones
	Now         func() time.Time     // the server's clock; nil: time.Now

	StrictRelations bool    // references have to name rows that AddRelated registered
	Storage         Storage // in which form fields are stored
	Lookup          Lookup  // which texts filters treat as equal
	Answers         Answers // in which form writes are answered
	Locks           Locks   // whether writes lock each other out

	// What the reference does not say.
	Atomicity   Atomicity     // what a bulk write with a bad item does to the good ones
	ItemID      ItemID        // what an id in a bulk item means
	AnswerOrder AnswerOrder   // the order of a bulk write's answer
	UniqueKey   bool          // two rows of a tenant cannot have the same key (custom_id)
	Errors      ErrorShape    // how refusals are worded
	StoredIDs   IDForm        // how ssn and org_no are stored
	Relations   RelationShape // how references are answered
	Framing     Framing       // what surrounds the rows of a list
	PastEnd     PastEnd       // the answer to a page past the end
	Paging      Paging        // whether _page and _page_size have an effect
	IgnoreOrder bool          // _order_by has no effect
	MaxPageSize int           // larger page sizes are reduced to it; 0: no limit
	MaxBody     int64         // bytes of a request body, beyond that 413; 0: 32 MiB
	MaxItems    int           // items of a bulk write, beyond that 413; 0: no limit

	// Faults are what goes wrong; see ParseFault. Inject adds more later.
	Faults []Fault
	// FaultSeed decides to which requests a fault with a share applies, and how
	// Shuffled shuffles. The same seed with the same order of requests gives the same
	// result.
	FaultSeed uint64

	// Log is called with every completed request, late commits included. It is called
	// concurrently.
	Log func(Request)

	// Intercept is called at each Point of a request and may take it over: it answers
	// by itself, or panics with http.ErrAbortHandler to cut the connection, and returns
	// true to end the handling. What was committed stays. It is called concurrently.
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

// Point is a moment in the handling of a request.
type Point uint8

const (
	Arrived   Point = iota // nothing was examined
	Storing                // a write was read and its transaction is about to start
	Committed              // a write is durable, and its answer not yet sent
)

const defaultMaxBody = 32 << 20

// Check returns an error that names an invalid option, as New would: a field that no
// resource has, a negative time.
func (o Options) Check() error {
	if o.Locks.Hold < 0 {
		return fmt.Errorf("lock time %s: below zero", o.Locks.Hold)
	}
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	if err := o.checkFields(o.Storage.fields()); err != nil {
		return err
	}
	return o.checkFaults(o.Faults)
}

// checkFaults makes sure of the fields that faults name.
func (o *Options) checkFaults(faults []Fault) error {
	for _, f := range faults {
		if err := o.checkFields(f.fields); err != nil {
			return fmt.Errorf("fault %s: %w", f, err)
		}
	}
	return nil
}

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
