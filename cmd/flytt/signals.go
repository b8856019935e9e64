package main

import (
	"bufio"
	"context"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"flytt/internal/drain"
	"flytt/pipeline"
)

// drainingText is what a run says at the first signal.
const drainingText = "interrupted: finishing what is under way; once more stops at once"

// signals turns SIGINT, SIGTERM and SIGHUP (a closed terminal; not under nohup,
// which ignores it) into an orderly end: the first closes gate, so that what
// is under way is finished, the second ends the context, the third ends the process.
// Stop gives the signals back and waits for the goroutine.
func (a *app) signals(ctx context.Context, first string) (_ context.Context, gate *drain.Gate, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	caught := catch()
	gate = drain.New()
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for n := 1; ; n++ {
			select {
			case <-over:
				return
			case <-caught:
			}
			switch n {
			case 1:
				if !a.asking.Load() { // nothing is under way then
					a.say("\nflytt: %s\n", first)
				}
				gate.Close(pipeline.ErrInterrupted)
			case 2:
				a.say("\nflytt: stopping at once\n")
				cancel()
			default:
				os.Exit(exitInterrupted)
			}
		}
	}()
	return ctx, gate, func() {
		signal.Stop(caught)
		close(over)
		<-ended
		cancel()
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

// until returns a context that ends with ctx, or when gate is closed: for what can
// be dropped as it is. Stop waits for the goroutine.
func until(ctx context.Context, gate *drain.Gate) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-gate.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel()
		<-ended
	}
}
