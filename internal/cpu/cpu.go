// Package cpu tells which optional vector instructions this machine and its
// operating system offer, so that packages mask and frame can choose
// their implementations once, at start.
//
// It exists because internal/cpu of the standard library cannot be imported
// and golang.org/x/sys/cpu would be a dependency for a single bit.
package cpu
