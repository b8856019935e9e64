package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"

	"flytt/internal/drain"
	"flytt/pipeline"
)

// drainingText is what a run says at the first signal.
const drainingText = "interrupted: finishing requests in progress; interrupt again to stop at once"

// interrupts turns SIGINT, SIGTERM and SIGHUP (a closed terminal; not under nohup,
// which ignores it) into an orderly end, once they are begun: the first closes the gate,
// so that what is under way is finished, the second ends the context, the third ends the
// process.
type interrupts struct {
	app    *app
	first  string // is said at the first
	gate   *drain.Gate
	cancel context.CancelFunc
	stop   func() // gives the signals back, waits for the goroutine, and ends the context
}

// interrupts returns a context that the second signal ends.
func (a *app) interrupts(ctx context.Context, first string) (context.Context, *interrupts) {
	ctx, cancel := context.WithCancel(ctx)
	return ctx, &interrupts{app: a, first: first, gate: drain.New(), cancel: cancel, stop: cancel}
}

func (i *interrupts) begin() {
	caught := catch()
	over := make(chan struct{})
	var group errgroup.Group
	group.Go(func() error {
		for n := 1; ; n++ {
			select {
			case <-over:
				return nil
			case <-caught:
				i.caught(n)
			}
		}
	})
	i.stop = func() {
		signal.Stop(caught)
		close(over)
		_ = group.Wait() // it returns no error
		i.cancel()
	}
}

// caught does what the n-th signal asks for.
func (i *interrupts) caught(n int) {
	switch n {
	case 1:
		if !i.app.asking.Load() { // nothing is under way then
			i.app.say("\nflytt: %s\n", i.first)
		}
		i.gate.Close(pipeline.ErrInterrupted)
	case 2:
		i.app.say("\nflytt: stopping at once\n")
		i.cancel()
	default:
		os.Exit(exitInterrupted)
	}
}

// catch returns a channel that gets the signals which ask for an orderly end.
func catch() chan os.Signal {
	caught := make(chan os.Signal, 3)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(caught, syscall.SIGHUP)
	}
	return caught
}

// ask puts a question and reports whether it was answered with yes. A signal ends it
// at once, with pipeline.ErrInterrupted. Then nobody waits for the goroutine, for
// nothing can end a read of a terminal that nobody types at: the process ends.
func (a *app) ask(question string) (yes bool, err error) {
	caught := catch()
	defer signal.Stop(caught)
	a.asking.Store(true)
	a.say("%s [y/N] ", question)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.stdin).ReadString('\n')
		answer <- line
	}()
	select {
	case <-caught:
		a.say("\n")
		return false, pipeline.ErrInterrupted
	case line := <-answer:
		a.asking.Store(false)
		return slices.Contains([]string{"y", "yes", "j", "ja"}, strings.ToLower(strings.TrimSpace(line))), nil
	}
}

// agreed puts a question, and returns an error unless it was answered with yes: what
// says what was done to nothing then.
func (a *app) agreed(question, what, hint string) error {
	yes, err := a.ask(question)
	switch {
	case err != nil:
		return fmt.Errorf("%w: nothing was %s", err, what)
	case !yes:
		return usagef(hint, "nothing was %s: the answer was not yes", what)
	}
	return nil
}

func (a *app) canAsk() bool { return isTerminal(a.stdin) && isTerminal(a.stderr) }
