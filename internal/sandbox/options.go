package sandbox

import (
	"fmt"
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

	StrictRelations bool    // references have to name rows that AddRelated registered
	Storage         Storage // in which form fields are stored
	Lookup          Lookup  // which texts filters take for equal
	Answers         Answers // in which form writes are answered
	Locks           Locks   // whether writes lock each other out

	// What the reference does not say.
	Atomicity   Atomicity     // what a bulk write with a bad item does to the good ones
	ItemID      ItemID        // what an id in a bulk item means
	AnswerOrder AnswerOrder   // the order of a bulk write's answer
	UniqueKey   bool          // two rows of a tenant cannot have the same key (custom_id)
	Errors      ErrorShape    // how refusals are worded
	StoredIDs   IDForm        // how ssn and org_no are kept
	Relations   RelationShape // how references are answered
	Framing     Framing       // what stands around the rows of a list
	PastEnd     PastEnd       // what a page past the end is
	Paging      Paging        // whether _page and _page_size are heeded
	IgnoreOrder bool          // _order_by is read and not heeded
	MaxPageSize int           // larger page sizes are cut down to it; 0: no bound
	MaxBody     int64         // bytes of a request body, beyond it 413; 0: 32 MiB
	MaxItems    int           // items of a bulk write, beyond it 413; 0: no bound

	// Faults are what goes wrong; see ParseFault. Inject adds to them later.
	Faults []Fault
	// FaultSeed decides which requests a fault with a share strikes, and how
	// Shuffled shuffles. With the same seed and the same order of requests the
	// same ones are struck.
	FaultSeed uint64

	// Log is told of every request when it is over, a late commit included; see
	// Log.Add. It is called concurrently.
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

// Point is a moment in the handling of a request.
type Point uint8

const (
	Arrived   Point = iota // nothing has been looked at
	Storing                // a write has been read and its transaction is about to begin
	Committed              // a write is durable, the answer not yet on its way
)

const defaultMaxBody = 32 << 20

// Check returns an error that names what cannot be done, as New would: a field
// that no resource has, a time below zero.
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
