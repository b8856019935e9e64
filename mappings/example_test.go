package mappings_test

import (
	"fmt"

	"flytt/mappings"
)

// A resource is a descriptor: what can be said of it can be checked.
func ExampleParseResource() {
	r, err := mappings.ParseResource("key.yaml", []byte(`
resource: key
application: realestate
path: /realestate/key/
fields:
  - {name: label, type: string, required: true, max_length: 20}
  - {name: copies, type: integer, minimum: 1}
  - {name: tenant, type: reference, to: tenant, excludes: [storage]}
  - {name: storage, type: string}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	schema, err := r.Schema(r.Columns())
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := mappings.NewValidator(r, schema, mappings.ValidateOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	b := batchOf(schema, record{"label": "Entré A", "copies": "0", "tenant.id": "17", "storage": "Skåp 3"})
	if err := v.Step().Apply(b); err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range b.Problems {
		fmt.Printf("%s: %s, %s\n", schema.Fields[p.Field].Name, p.Code, p.Shape)
	}
	// Output:
	// copies: too_small, below 1
	// tenant.id: uuid, 2 characters
	// tenant.id: excludes, along with storage
}

func ExampleParseResource_fault() {
	_, err := mappings.ParseResource("key.yaml", []byte(`resource: key
application: realestate
path: /realestate/key/
fields:
  - name: label
    type: string
    requird: true
`))
	fmt.Println(err)
	// Output:
	// key.yaml:7:5: key requird is not known
	//   7 |     requird: true
	//     |     ^
	// hint: did you mean required?
}
