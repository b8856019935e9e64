// Command serve answers list requests with canned rows, and bulk writes with the
// rows that came, as fast as a server can or after -delay: it is what reading and
// writing are measured against. It knows the paging, the bounds of created_at and
// the two orders a reader asks for, and answers everything else with all rows;
// what is written it forgets, but for the last row that came alone, which can be
// looked up by custom_id__in. It wants no credentials and holds the canned rows in
// memory, about 450 bytes each. All people in it are synthetic.
//
//	go run ./samples/serve -rows 1000000 -addr 127.0.0.1:8099
//	curl -s http://127.0.0.1:8099/organization/externalclientcontactperson/list/ | jq -r '.[]|[.id,.name]|@csv'
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"flytt/samples"
)

// path is where the rows are.
const path = "/organization/externalclientcontactperson/list/"

func main() { samples.Main("serve", run) }

func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(stderr)
	rows := flags.Int("rows", 100000, "how many `rows` there are")
	delay := flags.Duration("delay", 0, "how long the answer to a write takes")
	addr := flags.String("addr", "127.0.0.1:0", "`address` to listen on; port 0 is any free one")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return samples.ErrUsage
	}
	if flags.NArg() > 0 || *rows < 0 {
		fmt.Fprintln(stderr, "serve: takes flags only, and no fewer rows than 0")
		return samples.ErrUsage
	}
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	list := newList(*rows)
	if _, err := fmt.Fprintf(stdout, "%d rows at http://%s%s\n", *rows, l.Addr(), path); err != nil {
		return err
	}
	server := &http.Server{Handler: handler(list, &echo{delay: *delay}), ReadHeaderTimeout: 10 * time.Second}
	return server.Serve(l)
}

// handler answers lists, writes, and lookups of what was written.
func handler(l *list, e *echo) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has(keyed) {
			e.lookUp(w, r)
			return
		}
		l.ServeHTTP(w, r)
	})
	mux.Handle("POST "+path, e)
	return mux
}
