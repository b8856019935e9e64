package sinks_test

import (
	"context"
	"fmt"
	"os"

	"flytt/pipeline"
	"flytt/sinks"
)

// A sink is driven as the engine does it: encoders on workers, writes in order,
// and a commit once all went well.
func ExampleCreate() {
	schema := &pipeline.Schema{Fields: []pipeline.Field{{Name: "name"}, {Name: "external_client.id"}}}
	sink, err := sinks.Create("-", schema, &sinks.FileOptions{Format: "jsonl", Stdout: os.Stdout})
	if err != nil {
		fmt.Println(err)
		return
	}
	chunk := &pipeline.Chunk{}
	chunk.AddRow(2)
	for i, value := range []string{"Anna", "42"} {
		chunk.SizeFields(2)[i].Append([]byte(value))
	}
	if err := sink.Encoder().Encode(&chunk.Batch, &chunk.Encoded); err != nil {
		fmt.Println(err)
	}
	if err := sink.Write(context.Background(), chunk); err != nil {
		fmt.Println(err)
	}
	if err := sink.Commit(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output: {"name":"Anna","external_client":{"id":"42"}}
}
