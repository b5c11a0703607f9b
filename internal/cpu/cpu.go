// Package cpu tells which optional vector instructions this machine and its
// operating system offer, so that package mask can choose its implementation
// once, at start.
//
// It exists because internal/cpu of the standard library cannot be imported
// and golang.org/x/sys/cpu would be a dependency for a single bit.
package cpu
