package sources_test

import (
	"context"
	"fmt"
	"io"
	"strings"

	"flytt/pipeline"
	"flytt/sources"
)

// A source cuts, its decoders decode; the engine does the latter on every core.
func ExampleOpen() {
	register := "Namn;Ort\nAnna Ek;Lund\n\"Berg; Bo\";Umeå\n"
	source, info, err := sources.Open("-", &sources.Options{Stdin: strings.NewReader(register)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	fmt.Println(info.Format, info.Encoding, info.Delimiter, source.Columns())

	decoder := source.Decoder()
	var block pipeline.Block
	var batch pipeline.Batch
	for {
		err := source.Next(context.Background(), &block)
		if err == io.EOF {
			return
		}
		if err == nil {
			err = decoder.Decode(&block, &batch)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		for i, line := range batch.Rows {
			fmt.Printf("line %d: %s, %s\n", line, batch.Input[0].Value(i), batch.Input[1].Value(i))
		}
	}
	// Output:
	// csv utf-8 ; [Namn Ort]
	// line 2: Anna Ek, Lund
	// line 3: Berg; Bo, Umeå
}
