package fault

import "sync"

// Watch has do called whenever a fault begins or ends, for what is broken as a whole: a socket, a key. Calls come one after
// the other, in the order of what happened, and never under the board's lock; a replaced setting ends before the new one
// begins. When the fault is on already, do is told at once. It must not set or clear a fault.
func (b *Board) Watch(name string, do func(on bool, a Active)) {
	told := b.watch(name, do)
	told()
}

func (b *Board) watch(name string, do func(on bool, a Active)) (told func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watchers[name] = append(b.watchers[name], do)
	if e, ok := b.on[name]; ok {
		a := e.Active
		return b.news.say(func() { do(true, a) })
	}
	return func() {}
}

// OnEnd has do called when a fault ends by itself: its time is over, or its last message was hit. There is one such place.
func (b *Board) OnEnd(do func(Active)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = do
}

// tell queues the news of one change. The caller holds the lock, so that the news keep the order of the changes.
func (b *Board) tell(on bool, a Active) (told func()) {
	watchers := b.watchers[a.Name]
	watchers = watchers[:len(watchers):len(watchers)]
	return b.news.say(func() {
		for _, do := range watchers {
			do(on, a)
		}
	})
}

// teller carries out what it is told to, one after the other, on a goroutine of its own.
type teller struct {
	mu    sync.Mutex
	more  *sync.Cond
	queue []func()
	over  bool
	done  chan struct{}
}

func newTeller() *teller {
	t := &teller{done: make(chan struct{})}
	t.more = sync.NewCond(&t.mu)
	go t.run()
	return t
}

// say queues something; told waits until it was carried out.
func (t *teller) say(do func()) (told func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return func() {}
	}
	done := make(chan struct{})
	t.queue = append(t.queue, func() { defer close(done); do() })
	t.more.Signal()
	return func() { <-done }
}

func (t *teller) run() {
	defer close(t.done)
	for {
		do, ok := t.next()
		if !ok {
			return
		}
		do()
	}
}

func (t *teller) next() (func(), bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.queue) == 0 {
		if t.over {
			return nil, false
		}
		t.more.Wait()
	}
	do := t.queue[0]
	t.queue = t.queue[1:]
	return do, true
}

// close carries out what is left, and ends.
func (t *teller) close() {
	t.mu.Lock()
	t.over = true
	t.more.Signal()
	t.mu.Unlock()
	<-t.done
}
