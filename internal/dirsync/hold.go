package dirsync

// Hold carries something out while no run is at work, and none begins meanwhile: a run must not bring what it read in one
// world into another. ErrBusy when a run is at work.
func (e *Engine) Hold(do func() error) error {
	if !e.one.TryLock() {
		return ErrBusy
	}
	defer e.one.Unlock()
	e.agent.Lock() // nor what somebody only asked
	defer e.agent.Unlock()
	return do()
}
