// Package sandbox is the API on this machine: every operation of every
// resource, served from its descriptor, with real storage in SQLite.
//
// A Sandbox is an http.Handler. A request passes, in this order: the faults that
// answer in its place, the route (404), the credentials (401, 403), the method
// (405), the lock (409), the body (415, 413, 400), the rules of the resource
// (400), the form in which fields are stored, the storage, and the faults that
// spoil its answer. A file holds one idea:
//
//	sandbox.go         Sandbox: New, Start, Close
//	options.go         what can be chosen
//	choice.go          the switches for what the API's reference leaves open
//	exchange.go        one request from arrival to log
//	log.go             the record of requests
//	answer.go          answers and what is wrong with a request
//	answer_errors.go   the shapes of error bodies
//	storage.go         the form in which fields are stored, empty ones filled
//	rewrite.go         the table of rewritings
//	answer_forms.go    what of a written row is answered
//	answer_items.go    bulk answers that tell of each item
//	shape.go           forms of identity numbers, shapes of references
//	table.go           a resource as a table
//	kind.go            types: JSON to column, text to operand
//	body.go            request bodies to records
//	check.go           the rules, in the server's words
//	relations.go       references that have to name something
//	write.go           bulk, create, update, delete
//	lock.go            writes that lock each other out
//	read.go            get and list
//	list_switches.go   what switches and faults change in a list
//	query.go           the parameters of a list
//	filter.go          its filters, as SQL
//	paging*.go         pages of it, deep ones too
//	store.go           SQLite
//	statement.go       its statements
//	lookup.go          what filters take for equal
//	seed*.go           rows made up
//	openapi.go         the description of it all
//	openapi_answers.go and of the forms of its answers
//	listener.go        the listener, which can be paused
//	http2.go           the codes of ended streams
//	fault.go           the plan: what strikes whom and when
//	fault_actions.go   the table of faults
//	fault_answers.go   answers in place of the sandbox's
//	fault_buffered.go  answers that are changed before they are sent
//	fault_late.go      commits that are put off
//
// Each stored row holds the object as it is answered (the column _doc) and,
// beside it, one typed column per field, which filters and orders look at. So
// a list copies bytes instead of rendering them anew.
//
// In tests, faults and the log work together:
//
//	s, err := sandbox.New(sandbox.Options{
//		Log:    func(r sandbox.Request) { … },
//		Faults: sandbox.MustParseFaults("post:3:commit-then-reset", "list:5%:503=1"),
//	})
//	…
//	s.WaitForLateCommits()
package sandbox
