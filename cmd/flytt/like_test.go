package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"flytt/internal/report"
	"flytt/internal/sandbox"
)

// TestPlanIsWhatImportDoesWhereTheAPIRewrites holds a plan to an import, and to its apply,
// against an API that stores some fields in another form: where the settings say so, and
// where the import is like an earlier one.
func TestPlanIsWhatImportDoesWhereTheAPIRewrites(t *testing.T) {
	seeds := 8
	if testing.Short() {
		seeds = 4
	}
	for seed := range seeds {
		declared, applies := seed%2 == 0, seed%4 < 2
		t.Run(fmt.Sprintf("declared %t, apply %t, %d", declared, applies, seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, uint64(seed)))
			r := sandboxWith(t, sandbox.Options{Storage: sandbox.Storage{Rewrites: sandbox.MustParseRewrites("email:upper", "title:upper")}})
			exported(t, r, 14)
			register := randomRegister(rng, records(t, "contacts.csv"))
			write(t, "in.csv", register)
			flags := []string{"in.csv", "--chunk-rows", "7", "--concurrency", "1", "--mode", "upsert"}
			runsFlytt(t, append([]string{"import", "--run-dir", "earlier"}, flags...)...)
			write(t, "in.csv", someChanged(rng, register))
			if declared {
				write(t, "flytt.yaml", "compare: {email: upper, title: upper}\n")
			} else {
				flags = append(flags, "--like", "earlier")
			}
			code := planOf(t, flags)
			said := actions(t, "plan")
			r.sent()
			var s *report.Summary
			if applies {
				s = flytt(t, code, "apply", "plan", "--run-dir", "run", "--concurrency", "1")
			} else {
				s = flytt(t, code, append([]string{"import", "--run-dir", "run"}, flags...)...)
			}
			wantSame(t, s.Verb, said, done(t, "run"))
			if s.Rows.Unchanged == 0 {
				t.Error("all rows are sent again")
			}
			patches, _ := r.sent()
			for _, patch := range patches {
				if !strings.Contains(patch, "Changed") {
					t.Errorf("sent again: %s", patch)
				}
			}
		})
	}
}

// runsFlytt runs flytt, which rejects some rows.
func runsFlytt(t *testing.T, args ...string) {
	t.Helper()
	var stdout, stderr strings.Builder
	if code := execute(args, strings.NewReader(""), &stdout, &stderr); code != exitDone && code != exitRejects {
		t.Fatalf("exit code %d\n%s\n%s", code, &stdout, &stderr)
	}
}

// someChanged returns a register in which some rows have another name.
func someChanged(rng *rand.Rand, register string) string {
	lines := strings.Split(register, "\n")
	for i := range lines {
		if rng.IntN(3) == 0 {
			lines[i] = strings.Replace(lines[i], ",Person ", ",Changed ", 1)
		}
	}
	return strings.Join(lines, "\n")
}
