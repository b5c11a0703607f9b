//go:build !linux

package rows

import "errors"

func onOneProcessor() (release func(), err error) {
	return nil, errors.New("processes cannot be bound to a processor on this system")
}
