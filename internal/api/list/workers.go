package list

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"flytt/internal/api"
)

// workerPool carries out requests, a bounded number at once. Its methods are for the
// goroutine of the reader.
//
// The workers belong to a group that waits for them. The group's context is not used:
// requests end when the reading does, not because another failed.
type workerPool struct {
	workers       int
	todo, done    chan *job
	inFlight      int       // jobs submitted and not yet seen to be done
	recycled      [2][]*job // with the buffers of pages, and with those of ids alone
	requests      atomic.Int64
	ignoresPaging atomic.Bool // answers longer than a page are how the server is
	answered      atomic.Bool // there is a list: it was read once
	stop          context.CancelFunc
	group         errgroup.Group
}

// job is one request, and what came of it once done is set.
type job struct {
	request    listRequest
	emit       func(context.Context, *api.Page) error // of a stream
	page       api.Page
	duplicates int // rows that came again within the page, and were taken out of it
	err        error
	done       bool
	canceled   atomic.Bool // nobody wants it any more
	// gapCheck asks what lies between the page before and this one.
	gapCheck *job
}

// startWorkers starts the workers. Their requests end with ctx, or with shutdown.
func startWorkers(ctx context.Context, from Fetcher, o Options) *workerPool {
	ctx, stop := context.WithCancel(ctx)
	room := 6*o.Concurrency + 8
	w := &workerPool{workers: o.Concurrency, todo: make(chan *job, room), done: make(chan *job, room), stop: stop}
	for range o.Concurrency {
		w.group.Go(func() error { w.work(ctx, from, o.Created); return nil })
	}
	return w
}

// work carries out jobs until ctx ends. Sending to done never blocks: there are no
// more jobs than it has room for.
func (w *workerPool) work(ctx context.Context, from Fetcher, created string) {
	var seen idSet
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-w.todo:
			if !j.canceled.Load() {
				w.run(ctx, j, from, created, &seen)
			}
			w.done <- j
		}
	}
}

// room returns how many more jobs there is room for.
func (w *workerPool) room() int { return cap(w.todo) - w.inFlight }

// submit queues a request. There has to be room for it.
func (w *workerPool) submit(a listRequest) *job { return w.submitStream(a, nil) }

// submitStream hands over a request whose answer goes to emit as it comes.
func (w *workerPool) submitStream(a listRequest, emit func(context.Context, *api.Page) error) *job {
	j := new(job)
	if spare := w.recycledFor(a.idsOnly); len(*spare) > 0 {
		n := len(*spare) - 1
		j, *spare = (*spare)[n], (*spare)[:n]
	}
	j.request, j.emit, j.duplicates, j.err, j.done, j.gapCheck = a, emit, 0, nil, false, nil
	j.canceled.Store(false)
	w.inFlight++
	w.todo <- j
	return j
}

// recycle keeps j to be used again.
func (w *workerPool) recycle(j *job) {
	spare := w.recycledFor(j.request.idsOnly)
	*spare = append(*spare, j)
}

func (w *workerPool) recycledFor(idsOnly bool) *[]*job {
	if idsOnly {
		return &w.recycled[1]
	}
	return &w.recycled[0]
}

// wait waits for any job to be done.
func (w *workerPool) wait(ctx context.Context) error {
	select {
	case j := <-w.done:
		w.markDone(j)
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (w *workerPool) waitFor(ctx context.Context, j *job) error {
	for !j.done {
		if err := w.wait(ctx); err != nil {
			return err
		}
	}
	return j.err
}

// collect takes note of the jobs that are done.
func (w *workerPool) collect() {
	for {
		select {
		case j := <-w.done:
			w.markDone(j)
		default:
			return
		}
	}
}

func (w *workerPool) markDone(j *job) {
	w.inFlight--
	j.done = true
	if j.canceled.Load() {
		w.recycle(j)
	}
}

// release gives back a job that is not needed any more, with its buffers.
func (w *workerPool) release(j *job) {
	switch {
	case j == nil:
		return
	case j.done:
		w.recycle(j)
	default:
		j.canceled.Store(true)
	}
	w.release(j.gapCheck)
	j.gapCheck = nil
}

// shutdown ends all requests and waits for the workers.
func (w *workerPool) shutdown() {
	w.stop()
	_ = w.group.Wait() // workers return no error: each job has its own
}
