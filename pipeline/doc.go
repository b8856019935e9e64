// Package pipeline moves rows from a source to a sink, fast and in bounded
// memory, and says of every single one what became of it.
//
// # Flow
//
//	one goroutine        Workers goroutines               input order, or InFlight at once
//	─────────────   ──────────────────────────────────   ─────────────────────────────────
//	Source.Next ──▶ Decoder ▶ Step … Step ▶ Encoder ──▶ Sink.Write ──▶ account ──▶ Report
//	   Block           Batch                  Encoded       Chunk          │
//	     ▲                                                                 ├──▶ Recorder
//	     └───────────────── reused when its rows are accounted for ◀───────┘
//
// A Source only cuts: it finds where rows end and hands out Blocks of raw
// input. What costs time, decoding, mapping, validating and encoding, is done
// by workers, each with a decoder, steps and an encoder of its own, which may
// therefore keep buffers and need no locks. What they make comes back in input
// order.
//
// Rows reach the Sink in one of two ways. Where ChunkLimits.InFlight is zero,
// each block is a Chunk and Write is called in input order by one goroutine:
// files. Otherwise rows are gathered into chunks of the size the sink wants,
// whatever the size of the blocks, and several are written at once: an API. In
// both, the account is kept in input order.
//
// # Rows
//
// A Batch holds rows column by column, as spans of one text, so that a column
// costs nothing until one of its values changes and a block costs a handful of
// allocations, not a handful for each row. A row starts Pending and ends with
// exactly one other Fate. A bad row is data, not an error: the step that finds
// something wrong notes a Problem, and the next steps still check the row, so
// that all its problems are found. An error is about the run as a whole, and
// ends it.
//
// # Who owns what
//
//   - The engine owns blocks, batches and chunks and uses them again. Nobody
//     keeps them, or slices of them, after the call they were given to.
//   - A batch belongs to one goroutine at a time. It may point into its block;
//     neither is touched by the cutter before the rows are accounted for.
//   - Rows gathered into chunks for an API are copied, so that a slow answer
//     does not hold up a block.
//   - Whoever calls Run.Do owns Source and Recorder and closes them. Do ends the
//     Sink: with Commit if the whole input went through, else with Abort.
//   - All goroutines belong to errgroups of Do, which returns when they have ended.
//     No group's context is used: a write is never cut off because another failed.
//
// # Guarantees
//
//   - At most Run.MaxBlocks blocks, and at most twice InFlight and one chunks, are
//     in memory. Rejected rows are streamed to the Recorder, never gathered.
//   - The output of a file, the chunks of an API, the record and the Report of
//     an input that goes through do not depend on the number of workers, nor on
//     who is faster.
//   - The account has no gaps: it covers the input from its first row to some
//     row, and each row up to there has one fate. Report.Balanced holds, however
//     the run ends.
//
// What ends a run early, and what it does to the rows:
//
//	the source fails      rows read before it are finished; its error is returned
//	a step, a decoder     the blocks before it are finished; its error is returned
//	a write fails         nothing more is sent; writes under way finish; its error
//	the recorder fails    as a write
//	too many rejects      nothing more is sent; writes under way finish; ErrMaxRejects
//	Drain is closed       nothing more is read, and no chunk for an API started; what is
//	                      under way is finished; ErrInterrupted
//	the context ends      everything stops; rows under way are InDoubt, as the sink
//	                      says, and the others NotSent; ErrInterrupted
//
// Where a journal has earlier passes over the input on record, rows of chunks that
// are not started get the fates from there: ChunkLimits.Replay.
//
// # Around it
//
// The package imports nothing else of the module; everything else is built on
// it:
//
//	cmd/flytt ─▶ sources     Source, Decoder      files, one format each
//	          ─▶ mappings    Step                 mapping files, resources, rules
//	          ─▶ sinks       Sink, Encoder        the API in bulk, files; Recorder
//	          ─▶ internal    what only flytt needs: the HTTP client, the sandbox, the report
//
// To add a source, a rule or a sink is to implement one of these small
// interfaces; the example of Run has one of each. A Sink may be wrapped: a
// write-ahead journal is a Sink around a Sink, and the tests of this package
// hold the contract to that.
package pipeline
