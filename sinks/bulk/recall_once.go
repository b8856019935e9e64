package bulk

import (
	"time"
)

// onceTime bounds the look for rows that were in a request without a clear
// answer.
const onceTime = 10 * time.Second

// aliveAfter is how many requests in a row may end in doubt before the API is
// asked whether it is there at all.
const aliveAfter = 3
