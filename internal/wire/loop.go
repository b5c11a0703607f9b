package wire

import "net"

// Loop waits, and calls handle whenever Ready, until handle returns false; then the
// error is nil. An expired read deadline ends it with os.ErrDeadlineExceeded and
// changes nothing. handle must read until Ready is false, and must not call Wait or
// Loop. Close does not wait for it.
//
// A goroutine that reads and waits in turns makes a system call each time that only
// says EAGAIN: the poller forgets, when a read begins, what it knew. Here all of it is one
// read in the poller's eyes, which keeps track, and a read that got less than it asked
// for need not be followed by another.
//
// There is one thing that it cannot see: the end of a stream that comes together with
// the last bytes, since both are one event. Whoever leaves Loop and enters it again
// finds it; so do that when nothing has come for a while.
func (c *Conn) Loop(handle func() bool) error {
	if c.descriptor == nil {
		for {
			if err := c.Wait(); err != nil {
				return err
			}
			if !handle() {
				return nil
			}
		}
	}
	c.looping.Store(true)
	defer c.looping.Store(false)
	if c.closed.Load() {
		return net.ErrClosed // Close may not have seen that it would wait for handle
	}
	c.dry = false
	c.handle = handle
	defer func() { c.handle = nil }() // also when handle panics
	return socketError(c.descriptor.Read(c.poll))
}
