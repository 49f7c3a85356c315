package fourwaystest

import (
	"os/exec"
	"syscall"
)

// endWithUs ends the child when this process dies, however that comes (PR_SET_PDEATHSIG, prctl(2)).
func endWithUs(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
