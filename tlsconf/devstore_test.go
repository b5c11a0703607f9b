package tlsconf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestStorePermissions(t *testing.T) {
	if runtime.GOOS == "linux" && !hasModes() {
		t.Fatal("no permission bits on Linux")
	}
	if !hasModes() {
		t.Skip("no permission bits here")
	}
	dir := filepath.Join(t.TempDir(), "wss")
	mustDevelopment(t, DevOptions{Dir: dir})
	for name, want := range map[string]fs.FileMode{"": 0o700, caFile: 0o600, caKeyFile: 0o600, leafFile: 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%q has mode %04o, want %04o", name, got, want)
		}
	}
	tests := []struct {
		file      string
		mode, fix fs.FileMode
		want      string
	}{
		{caKeyFile, 0o640, 0o600, "chmod 600"},
		{caKeyFile, 0o604, 0o600, "chmod 600"},
		{leafFile, 0o644, 0o600, "chmod 600"},
		{"", 0o777, 0o700, "chmod 700"},
		{"", 0o720, 0o700, "chmod 700"},
	}
	for _, tt := range tests {
		path := filepath.Join(dir, tt.file)
		if err := os.Chmod(path, tt.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Development(DevOptions{Dir: dir}); err == nil || !strings.Contains(err.Error(), tt.want+" "+path) {
			t.Errorf("%q with mode %04o: error %v", tt.file, tt.mode, err)
		}
		if err := os.Chmod(path, tt.fix); err != nil {
			t.Fatal(err)
		}
	}
	mustDevelopment(t, DevOptions{Dir: dir})
}

func TestBrokenFiles(t *testing.T) {
	garbage := []byte("-----BEGIN CERTIFICATE-----\nhalf")
	t.Run("an authority is never replaced", func(t *testing.T) {
		dir := t.TempDir()
		mustDevelopment(t, DevOptions{Dir: dir})
		writeFile(t, filepath.Join(dir, caKeyFile), garbage)
		_, err := Development(DevOptions{Dir: dir})
		if err == nil || !strings.Contains(err.Error(), "remove the directory "+dir) {
			t.Errorf("error %v", err)
		}
		if data, _ := os.ReadFile(filepath.Join(dir, caKeyFile)); string(data) != string(garbage) {
			t.Error("the file was replaced")
		}
	})
	t.Run("a leaf and the public copy are", func(t *testing.T) {
		dir := t.TempDir()
		d := mustDevelopment(t, DevOptions{Dir: dir})
		writeFile(t, filepath.Join(dir, leafFile), garbage)
		writeFile(t, filepath.Join(dir, caFile), garbage)
		again := mustDevelopment(t, DevOptions{Dir: dir})
		if mustLeaf(t, again).Leaf.Equal(mustLeaf(t, d).Leaf) {
			t.Error("the broken certificate is in use")
		}
		if data, _ := os.ReadFile(again.CAFile()); string(data) != string(d.CAPEM()) {
			t.Errorf("ca.pem holds %q", data)
		}
	})
	t.Run("an expired authority", func(t *testing.T) {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			mustDevelopment(t, DevOptions{Dir: dir})
			time.Sleep(caLife + time.Hour)
			if _, err := Development(DevOptions{Dir: dir}); reasonOf(err) != Expired || !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v", err)
			}
		})
	})
}

func TestWriteLeavesNothingBehindWhenItFails(t *testing.T) {
	store := &devStore{dir: t.TempDir()}
	failure := errors.New("no room")
	if err := store.write("x", nil, func(_, _ string) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("error %v", err)
	}
	if entries, _ := os.ReadDir(store.dir); len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
	if err := (&devStore{dir: filepath.Join(store.dir, "missing")}).write("x", nil, os.Rename); err == nil {
		t.Error("no error for a missing directory")
	}
}

func TestLinkOnceKeepsTheFirst(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"first", "second"} {
		writeFile(t, path(name), []byte(name))
		if err := linkOnce(path(name), path("target")); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := os.ReadFile(path("target")); string(data) != "first" {
		t.Errorf("got %q, error %v", data, err)
	}
	if err := linkOnce(path("missing"), path("other")); err == nil {
		t.Error("no error for a missing file")
	}
}
