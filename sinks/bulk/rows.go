package bulk

import (
	"bytes"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/api"
	"flytt/internal/jsonobject"
	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// chunkRows is the rows of the chunk that is being written: what they hold, what was said
// of them, and the ids of their records. Its buffers are kept for the next chunk.
type chunkRows struct {
	engine *engine

	chunk       *pipeline.Chunk
	before      int      // how many problems the chunk had before
	downgraded  []bool   // by row: its errors are warnings, since its record has the same
	pendingRows []int32  // the rows to send
	full        []byte   // of the row being compared: its object, with nulls
	items       [][]byte // of the rows in the request
	keys        [][]byte // likewise
	ids         []idSpan // by row: where its id lies in idText
	idText      []byte
}

type idSpan struct{ start, end int32 }

func (r *chunkRows) begin(c *pipeline.Chunk) {
	r.chunk, r.before = c, len(c.Problems)
	r.downgraded = cleared(r.downgraded, c.Len())
	r.ids, r.idText = r.ids[:0], r.idText[:0]
	for i := range c.Fates {
		r.ids = append(r.ids, idSpan{})
		if c.IDs.Len() == c.Len() {
			r.setID(int32(i), c.IDs.Value(i)) // of a row that was settled before
		}
	}
}

func (r *chunkRows) end() {
	r.chunk = nil
	clear(r.items[:cap(r.items)])
	clear(r.keys[:cap(r.keys)])
}

// pending returns the rows to send.
func (r *chunkRows) pending() []int32 {
	r.pendingRows = r.pendingRows[:0]
	for i, fate := range r.chunk.Fates {
		if fate == pipeline.Pending {
			r.pendingRows = append(r.pendingRows, int32(i))
		}
	}
	return r.pendingRows
}

// withFate returns those of rows that have fate.
func (r *chunkRows) withFate(rows []int32, fate pipeline.Fate) (out []int32) {
	for _, row := range rows {
		if r.chunk.Fates[row] == fate {
			out = append(out, row)
		}
	}
	return out
}

// key returns what identifies row, or nil.
func (r *chunkRows) key(row int32) []byte {
	c := r.chunk
	if r.engine.options.Key == "" || c.Keys.Len() != c.Len() {
		return nil
	}
	return c.Keys.Value(int(row))
}

func (r *chunkRows) keysOf(rows []int32) []string {
	keys := make([]string, len(rows))
	for i, row := range rows {
		keys[i] = string(r.key(row))
	}
	return keys
}

// id returns the id of the record that row is about, or nothing.
func (r *chunkRows) id(row int32) []byte {
	if !r.engine.byID {
		return nil
	}
	id, _ := splitItem(r.chunk.Item(int(row)))
	return id
}

// item returns what the API is sent of row when it is created.
func (r *chunkRows) item(row int32) []byte {
	item := r.chunk.Item(int(row))
	if r.engine.byID {
		_, item = splitItem(item)
	}
	return item
}

// wanted returns what a record is to hold of row: its fields, and nulls for those
// that are to be cleared.
func (r *chunkRows) wanted(row int32) []byte {
	object := r.item(row)
	if len(r.engine.options.Nulls) == 0 {
		return object
	}
	r.full = append(r.full[:0], object[:len(object)-1]...)
	for _, name := range r.engine.options.Nulls {
		name, _, _ = strings.Cut(name, ".")
		if jsonscan.Member(object, name) != nil {
			continue
		}
		if len(r.full) > 1 {
			r.full = append(r.full, ',')
		}
		r.full = append(r.full, '"')
		r.full = jsonobject.AppendText(r.full, []byte(name))
		r.full = append(r.full, `":null`...)
	}
	r.full = append(r.full, '}')
	return r.full
}

// padded returns the key of row with the white space that its cell has around it;
// nil if there is none, or the key is not what stands in the cell. A record may
// have been stored with it.
func (r *chunkRows) padded(row int32) []byte {
	cell, key := r.cell(row, r.engine.schema.Index(r.engine.options.Key)), r.key(row)
	if len(cell) == len(key) || !bytes.Equal(bytes.TrimSpace(cell), key) {
		return nil
	}
	return cell
}

// sent returns what a request with rows carries. It is good until the next call.
func (r *chunkRows) sent(rows []int32) api.Sent {
	r.items, r.keys = r.items[:0], r.keys[:0]
	for _, row := range rows {
		r.items = append(r.items, r.item(row))
		r.keys = append(r.keys, r.key(row))
	}
	return api.Sent{Items: r.items, Keys: r.keys}
}

func (r *chunkRows) setID(row int32, id []byte) {
	start := int32(len(r.idText))
	r.idText = append(r.idText, id...)
	r.ids[row] = idSpan{start, int32(len(r.idText))}
}

// idOf returns the id that was set for row, or nothing.
func (r *chunkRows) idOf(row int32) []byte {
	at := r.ids[row]
	return r.idText[at.start:at.end]
}

func (r *chunkRows) giveIDs() {
	c := r.chunk
	if len(r.idText) == 0 {
		return
	}
	c.IDs.Reset()
	for _, id := range r.ids {
		if id.start == id.end {
			c.IDs.AppendNull()
		} else {
			c.IDs.Append(r.idText[id.start:id.end])
		}
	}
}

// final reports whether nothing more happens to row.
func (r *chunkRows) final(row int32) bool {
	fate := r.chunk.Fates[row]
	return fate != pipeline.Pending && fate != pipeline.InDoubt
}

// findable returns those of rows that can be looked up: their keys can be asked
// for, and no other row has them.
func (r *chunkRows) findable(rows []int32) (out []int32) {
	o := &r.engine.options
	if !o.KeyLookup || len(rows) == 0 {
		return nil
	}
	times := map[string]int{}
	for i, fate := range r.chunk.Fates {
		if fate != pipeline.Rejected && fate != pipeline.Skipped && fate != pipeline.Existing {
			times[string(r.key(int32(i)))]++
		}
	}
	for _, row := range rows {
		if key := r.key(row); api.Lookupable(key) && times[string(key)] == 1 && !r.shared(row) {
			out = append(out, row)
		}
	}
	return out
}

// shared reports whether the key of row is also that of a row elsewhere in the
// input.
func (r *chunkRows) shared(row int32) bool {
	f := r.engine.options.Shared
	return f != nil && f(r.chunk.Rows[row])
}

// claim claims the record of row, which an earlier pass settled, or left in
// doubt for ever.
func (r *chunkRows) claim(row int32) {
	if !r.engine.changesRecords && !r.engine.options.SkipExisting || r.chunk.Fates[row] == pipeline.Rejected {
		return
	}
	id := r.id(row)
	if len(id) == 0 {
		id = r.idOf(row)
	}
	if len(id) > 0 {
		r.engine.claims.Take(idClaim, id)
	}
	if key := r.key(row); r.engine.byKey && len(r.id(row)) == 0 && len(key) > 0 {
		r.engine.claims.Take(keyClaim, key)
	}
	if r.chunk.Fates[row] == pipeline.Written {
		r.claimCreated(row)
	}
}

// claimCreated notes that a record with the key of row is, or may be, one that this run
// makes.
func (r *chunkRows) claimCreated(row int32) {
	if key := r.key(row); r.engine.byKey && len(key) > 0 {
		r.engine.claims.Take(createClaim, key)
	}
}

// note rejects row.
func (r *chunkRows) note(row int32, field int16, code pipeline.Code, private string) {
	r.chunk.Note(pipeline.Problem{
		Row: row, Field: field, Column: r.engine.column(field),
		Stage: pipeline.Write, Code: code, Private: private,
	})
}

func (r *chunkRows) noteAll(rows []int32, field int16, code pipeline.Code) {
	for _, row := range rows {
		r.note(row, field, code, "")
	}
}

// noteFields rejects row for each member of patch.
func (r *chunkRows) noteFields(row int32, patch []byte, code pipeline.Code) {
	for name := range jsonscan.Members(patch) {
		r.note(row, r.engine.field(string(jsonscan.Unquote(name))), code, "")
	}
}

func (r *chunkRows) warn(row int32, field int16, code pipeline.Code) {
	r.chunk.Note(pipeline.Problem{
		Row: row, Field: field, Column: r.engine.column(field),
		Severity: pipeline.Warning, Stage: pipeline.Write, Code: code,
	})
}

// warnFields notes a warning of row for each member of patch.
func (r *chunkRows) warnFields(row int32, patch []byte, code pipeline.Code) {
	for name := range jsonscan.Members(patch) {
		r.warn(row, r.engine.field(string(jsonscan.Unquote(name))), code)
	}
}

// unwarn withdraws what was said of how rows are stored, for that is about to be seen
// anew.
func (r *chunkRows) unwarn(rows []sentRow) {
	seen := make(map[int32]bool, len(rows))
	for _, s := range rows {
		seen[s.row] = true
	}
	c := r.chunk
	c.Problems = append(c.Problems[:r.before], slices.DeleteFunc(c.Problems[r.before:], func(p pipeline.Problem) bool {
		return seen[p.Row] && (p.Code == codeStoredOtherwise || p.Code == codeFilledIn)
	})...)
}

// putInDoubt puts rows in doubt and says why.
func (r *chunkRows) putInDoubt(rows []int32, why string, status int, err error) {
	for _, row := range rows {
		r.chunk.Fates[row] = pipeline.InDoubt
	}
	about := []any{"cause", why, "chunk", r.chunk.Seq, "rows", len(rows)}
	if status != 0 {
		about = append(about, "status", status)
	}
	if err != nil {
		about = append(about, "error", err)
	}
	r.engine.options.Log.Warn("rows in doubt", about...)
}

// sameForm reports whether want and got are two forms of one value: got is the very text
// of the row's cell, or the field is compared in a form of its own.
func (r *chunkRows) sameForm(row int32, name string, want, got jsontext.Value) bool {
	return r.engine.comparesAlike(name, want, got) || r.asStored(row, name, got)
}
