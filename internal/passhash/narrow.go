package passhash

import "sync"

// Narrow leaves a pool only so many workers until widen is called, by taking the places of the others: those that are free
// at once, the rest as they come free. At least one is left. It is for labs.
func (p *Pool) Narrow(left int) (widen func()) {
	release := make(chan struct{})
	for range cap(p.slots) - max(left, 1) {
		select {
		case p.slots <- struct{}{}:
			go p.occupy(release)
		default:
			go func() {
				select {
				case p.slots <- struct{}{}:
					p.occupy(release)
				case <-release:
				}
			}()
		}
	}
	return sync.OnceFunc(func() { close(release) })
}

// occupy gives a place back when it is let.
func (p *Pool) occupy(release <-chan struct{}) {
	<-release
	<-p.slots
}
