package mappings

// Reads reports for each column of the input whether the plan looks at it:
// whether any field, or the condition on rows, is made from it.
func (p *Plan) Reads() []bool {
	reads := make([]bool, len(p.names.names))
	for i := range p.fields {
		for _, column := range p.fields[i].from {
			reads[column] = true
		}
	}
	for _, column := range p.rowwise {
		reads[column] = true
	}
	return reads
}
