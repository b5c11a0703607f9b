package tlsconf

import (
	"fmt"
	"io/fs"
	"os"
)

// DevOwnerError is returned by [Development] when its directory, or a file in it, belongs to another user than the one
// that the process runs as. Such a user could hand it an authority of theirs; it happens to programs that are started by
// sudo and keep the user's HOME. Windows has no such owners.
type DevOwnerError struct {
	// Path is the directory or file.
	Path string
	// Owner is the user id that it belongs to.
	Owner int
	// User is the effective user id of this process.
	User int
}

// Error says what to do.
func (e *DevOwnerError) Error() string {
	return fmt.Sprintf("tlsconf: development CA: %s belongs to user %d, and this process runs as user %d: "+
		"run it as user %d, or have DevOptions.Dir name a directory that belongs to user %d", e.Path, e.Owner, e.User, e.Owner, e.User)
}

// effectiveUser is replaced by tests.
var effectiveUser = os.Geteuid

// checkOwner refuses what belongs to somebody else: even root, who may use everything, must not trust it.
func checkOwner(path string, info fs.FileInfo) error {
	owner, ok := ownerOf(info)
	if user := effectiveUser(); ok && owner != user {
		return &DevOwnerError{Path: path, Owner: owner, User: user}
	}
	return nil
}
