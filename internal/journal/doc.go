// Package journal is the durable record of what a run has sent and what became
// of it.
package journal
