package sandbox

// Messages of the tests show choices by their names.

func (v Atomicity) String() string     { return nameOf(v) }
func (v ItemID) String() string        { return nameOf(v) }
func (v AnswerOrder) String() string   { return nameOf(v) }
func (v ErrorShape) String() string    { return nameOf(v) }
func (v IDForm) String() string        { return nameOf(v) }
func (r RelationShape) String() string { return nameOf(r) }
func (v Framing) String() string       { return nameOf(v) }
func (v PastEnd) String() string       { return nameOf(v) }
func (v LookupCase) String() string    { return nameOf(v) }
func (v LookupSpace) String() string   { return nameOf(v) }
func (v LookupUnicode) String() string { return nameOf(v) }
func (v ItemErrors) String() string    { return nameOf(v) }
func (v BulkAnswer) String() string    { return nameOf(v) }
func (v PatchAnswer) String() string   { return nameOf(v) }
func (v ErrorIndex) String() string    { return nameOf(v) }
