package mappings

// UsedColumns reports for each column of the input whether a field or the where
// expression uses it.
func (p *Plan) UsedColumns() []bool {
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
