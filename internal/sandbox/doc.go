// Package sandbox is the API on this machine: every operation of every
// resource, served from its descriptor, with real storage in SQLite.
//
// A Sandbox is an http.Handler. A request passes, in this order: the route
// (404), the credentials (401, 403), the method (405), the body (415, 413,
// 400), the rules of the resource (400), the storage. A file holds one idea:
//
//	sandbox.go   Sandbox: New, Start, Close
//	door.go      where it listens; http2.go, how
//	options.go   what can be chosen; choice.go, among what
//	exchange.go  one request from arrival to log
//	log.go       the log
//	answer.go    answers and refusals; answer_errors.go, their shapes
//	table.go     a resource as a table
//	kind.go      types: JSON to column, text to operand
//	body.go      request bodies to records
//	check.go     the rules, in the server's words
//	relations.go references to what is not there
//	write.go     bulk, create, update, delete
//	read.go      get and list
//	query.go     the parameters of a list
//	filter.go    its filters
//	statement.go its SQL
//	paging.go    its pages, without reading those before
//	shape.go     references and identity numbers in other shapes
//	bend.go      lists that are not what was asked for
//	fault.go     what goes wrong, by plan
//	seed.go      made-up rows
//	openapi.go   the description of it all
//	store.go     SQLite
//
// Each stored row holds the object as it is answered (the column _doc) and,
// beside it, one typed column per field, which filters and orders look at. So
// a list copies bytes instead of rendering them anew.
package sandbox
