package main

import (
	"bufio"
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

const (
	// EXT4_IOC_SHUTDOWN, and its flag for "what the journal holds in memory is lost".
	ext4Shutdown = 0x8004587d
	noLogFlush   = uint32(2)
)

// cut says that it is ready, waits for a line, takes the power, and says when that was: it had
// power before the first time and none after the second.
func cut(o options) {
	dir, err := os.Open(o.mount)
	must(err)
	flags := noLogFlush
	fmt.Println("ready")
	_, err = bufio.NewReader(os.Stdin).ReadString('\n')
	must(err)
	before := now()
	_, _, failed := syscall.Syscall(syscall.SYS_IOCTL, dir.Fd(), ext4Shutdown,
		uintptr(unsafe.Pointer(&flags)))
	after := now()
	if failed != 0 {
		must(fmt.Errorf("the power of %s cannot be cut: %w", o.mount, failed))
	}
	fmt.Println(before, after)
}
