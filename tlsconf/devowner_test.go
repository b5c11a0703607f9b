package tlsconf

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheDirectoryOfAnotherUserIsRefused: of a program that sudo starts in a user's HOME, for example.
func TestTheDirectoryOfAnotherUserIsRefused(t *testing.T) {
	dir := t.TempDir()
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	owner, ok := ownerOf(info)
	if !ok {
		t.Skip("no owners here")
	}
	mustDevelopment(t, DevOptions{Dir: dir})
	for _, user := range []int{0, 4711} {
		if user == owner {
			continue
		}
		as(t, user)
		d, err := Development(DevOptions{Dir: dir})
		e, ok := errors.AsType[*DevOwnerError](err)
		if d != nil || !ok || e.Path != dir || e.Owner != owner || e.User != user {
			t.Errorf("user %d: %v, %v", user, d, err)
		} else if !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "DevOptions.Dir") {
			t.Errorf("user %d: %v", user, err)
		}
	}
	t.Run("the user's configuration directory, too, and not replaced by memory", func(t *testing.T) {
		home := t.TempDir()
		t.Setenv("HOME", home)
		t.Setenv("XDG_CONFIG_HOME", home)
		if config, err := os.UserConfigDir(); err != nil || config != home {
			t.Skip("the configuration is elsewhere here: ", config)
		}
		as(t, owner+1)
		_, err := Development(DevOptions{})
		if _, ok := errors.AsType[*DevOwnerError](err); !ok {
			t.Errorf("got %v", err)
		}
	})
}

// as has the process run as another user, as far as this package looks, until the test ends.
func as(t *testing.T, user int) {
	t.Helper()
	effectiveUser = func() int { return user }
	t.Cleanup(func() { effectiveUser = os.Geteuid })
}

// TestFilesAndLinksOfAnotherUserAreRefused: in a directory of one's own, which only root can bring about.
func TestFilesAndLinksOfAnotherUserAreRefused(t *testing.T) {
	const stranger = 4711
	give := func(t *testing.T, path string) {
		t.Helper()
		if err := os.Lchown(path, stranger, -1); err != nil {
			t.Skip("this user cannot give files away: ", err)
		}
	}
	for _, name := range []string{caKeyFile, leafFile} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			mustDevelopment(t, DevOptions{Dir: dir})
			give(t, filepath.Join(dir, name))
			_, err := Development(DevOptions{Dir: dir})
			if e, ok := errors.AsType[*DevOwnerError](err); !ok || e.Path != filepath.Join(dir, name) || e.Owner != stranger {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("a link to the directory", func(t *testing.T) {
		dir, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(dir, link); err != nil {
			t.Skip(err)
		}
		mustDevelopment(t, DevOptions{Dir: link})
		give(t, link)
		_, err := Development(DevOptions{Dir: link})
		if e, ok := errors.AsType[*DevOwnerError](err); !ok || e.Path != link || e.Owner != stranger {
			t.Errorf("got %v", err)
		}
	})
}
