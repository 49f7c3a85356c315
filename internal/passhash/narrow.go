package passhash

import "sync"

// Narrow leaves a pool only so many workers until widen is called, by taking the places of the others as they come free.
// At least one is left. It is for labs.
func (p *Pool) Narrow(left int) (widen func()) {
	release := make(chan struct{})
	for range cap(p.slots) - max(left, 1) {
		go func() {
			select {
			case p.slots <- struct{}{}:
				<-release
				<-p.slots
			case <-release:
			}
		}()
	}
	return sync.OnceFunc(func() { close(release) })
}
