package native

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Builder builds servers with the toolchains of other languages.
type Builder struct {
	Context context.Context
	Cache   string // directory for all that is built or fetched
	Log     io.Writer
}

// DefaultCache is the directory to build in if none is given: wss/foreign in the user's cache.
func DefaultCache() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "wss", "foreign"), err
}

// UWS builds NAME.c of the directory from, which is a server on uWebSockets' C interface. It has pip fetch the native library that
// requirements.txt there names, and links the program to it.
func (b *Builder) UWS(from, name string) (program, version string, err error) {
	list := filepath.Join(from, "requirements.txt")
	text, err := os.ReadFile(list)
	if err != nil {
		return "", "", err
	}
	version, _, _ = strings.Cut(strings.TrimPrefix(string(text), "socketify=="), " ")
	dir, err := filepath.Abs(filepath.Join(b.Cache, "socketify-"+version))
	if err != nil {
		return "", "", err
	}
	lib := filepath.Join(dir, "socketify", "libsocketify_"+runtime.GOOS+"_"+runtime.GOARCH+".so")
	if _, err := os.Stat(lib); err != nil {
		if err := b.Tool(nil, "python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
			"--no-deps", "--require-hashes", "--upgrade", "--target", dir, "-r", list); err != nil {
			return "", "", err
		}
	}
	if _, err := os.Stat(lib); err != nil {
		return "", "", fmt.Errorf("socketify %s has no library for %s/%s", version, runtime.GOOS, runtime.GOARCH)
	}
	program = filepath.Join(dir, name)
	return program, version, b.Tool(nil, "cc", "-O3", "-Wall", "-o", program, filepath.Join(from, name+".c"), lib,
		"-Wl,-rpath,"+filepath.Dir(lib), "-pthread")
}

// Tool runs a toolchain. Its error is short enough for a report: that it is missing, or
// the last line that it wrote.
func (b *Builder) Tool(env []string, name string, args ...string) error {
	cmd := exec.CommandContext(b.Context, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var said bytes.Buffer
	all := io.MultiWriter(b.Log, &said)
	cmd.Stdout, cmd.Stderr = all, all
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%s is not installed", name)
	}
	return fmt.Errorf("%s failed: %s", name, lastLine(said.String(), err.Error()))
}

// lastLine is the last line that says something, or else the alternative.
func lastLine(text, alternative string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
	for i := len(lines) - 1; i >= 0; i-- {
		if l := strings.TrimSpace(lines[i]); l != "" {
			return l
		}
	}
	return alternative
}
