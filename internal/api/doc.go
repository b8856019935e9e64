// Package api speaks to the vendor's API over HTTP and decides what an answer,
// or the lack of one, proves.
//
// # Writes
//
// A write is never repeated behind the caller's back: requests carry no
// GetBody and no Idempotency-Key, so that net/http has nothing to replay, and
// redirects are not followed, because Go would forward the secret headers and
// the rows to whichever host the answer names. [Client.BulkWrite],
// [Client.Create], [Client.Update] and [Client.Delete] make one attempt and
// return its [Outcome]:
//
//	NotSent       no byte of the body left this process: may be sent again
//	NotProcessed  the API refused to process it for now: may be sent again later
//	InDoubt       the API may have applied it: look it up, never repeat it
//	Answered      the API said what it did, in the status and the body
//
// [Answer] matches the body of a success with what was sent, [ParseRefusals]
// finds in the body of a refusal which items are meant, and
// [Client.FindByKeys] reads records back. [Outcome.Problem] puts the outcome of
// a write of one record into words. [Same] and [Changes] compare a record with
// what is to be sent.
//
// # Reads
//
// A read changes nothing and is repeated where that can help: when it was not
// sent, the API asked to retry later, the server or the connection failed, or the
// answer cannot be read. It waits as long as the API asks, or else longer each
// time, within the times of [Config] and a retry budget that all reads of a client
// share.
//
// [Client.Get] reads one record, [Client.Fetch] one page of a list, and
// [Client.Stream] a whole list in one answer. Answers of lists are decoded as they
// stream in, an array or one object after another, recognised by their first
// byte, in memory bounded by a page and an object; what is accepted is valid JSON
// without duplicate names. [Client.Exchange] makes one GET, never repeats
// it, and reports how it went.
//
// While the API seems to be down, a circuit breaker holds back all requests of a
// client but the probes of one caller. A concurrency limiter bounds the writes in
// flight, and sends fewer at once while the API is overloaded.
//
// Two packages are built on this one: list reads a whole list page by page and says
// whether it is proved complete; probe finds out what the API does where its
// reference is silent.
//
// No error and no log line of this package shows a query, a header, or
// anything of a body but the names of parameters and fields that were sent.
package api
