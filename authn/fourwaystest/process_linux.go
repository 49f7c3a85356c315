package fourwaystest

import (
	"os/exec"
	"syscall"
)

// endWithUs kills the child when this process dies, however that comes (PR_SET_PDEATHSIG, prctl(2)): one that hangs would
// not listen to a gentler signal.
func endWithUs(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
