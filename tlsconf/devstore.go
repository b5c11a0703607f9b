package tlsconf

import (
	"crypto/ecdsa"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// The files of a development authority.
const (
	caFile    = "ca.pem"
	caKeyFile = "ca-key.pem"
	leafFile  = "localhost.pem"
)

// devStore is the directory of a development authority. It needs no lock: a file appears complete under its name or not
// at all, the first process to name the authority wins, and any leaf that the authority signed is as good as another.
type devStore struct{ dir string }

// openStore makes the directory if need be, and refuses one that belongs to others, by itself or as a symbolic link, or
// that others may write to: they could plant an authority.
func openStore(dir string) (*devStore, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("tlsconf: development CA: %w", err)
	}
	var info fs.FileInfo
	for _, stat := range []func(string) (fs.FileInfo, error){os.Lstat, os.Stat} {
		var err error
		if info, err = stat(dir); err != nil {
			return nil, fmt.Errorf("tlsconf: development CA: %w", err)
		}
		if err := checkOwner(dir, info); err != nil {
			return nil, err
		}
	}
	if hasModes() && info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("tlsconf: others may write to %s (mode %04o): run chmod 700 %s", dir, info.Mode().Perm(), dir)
	}
	return &devStore{dir: dir}, nil
}

// hasModes is false where the permission bits that Go shows say nothing about who may read a file.
func hasModes() bool { return runtime.GOOS != "windows" && runtime.GOOS != "plan9" }

func (s *devStore) path(name string) string { return filepath.Join(s.dir, name) }

// authority returns the authority that is there, or that this call or another process at this moment puts there.
func (s *devStore) authority() (*issuer, error) {
	data, err := s.readPrivate(caKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.createAuthority(); err != nil {
			return nil, err
		}
		data, err = s.readPrivate(caKeyFile)
	}
	if err != nil {
		return nil, err
	}
	ca, err := parseIssuer(data)
	if err == nil {
		err = checkDates(ca.cert, time.Now())
	}
	if err != nil {
		return nil, fmt.Errorf("tlsconf: development CA %s cannot be used: %w; to start afresh, remove the directory %s "+
			"and trust the new ca.pem in place of the old one", s.path(caKeyFile), err, s.dir)
	}
	public := certPEM(ca.cert.Raw)
	if have, _ := os.ReadFile(s.path(caFile)); string(have) != string(public) {
		if err := s.write(caFile, public, os.Rename); err != nil {
			return nil, err
		}
	}
	return ca, nil
}

func (s *devStore) createAuthority() error {
	ca, err := newIssuer()
	if err != nil {
		return err
	}
	data, err := bundle(ca.cert.Raw, ca.key)
	if err != nil {
		return err
	}
	return s.write(caKeyFile, data, linkOnce)
}

// leaf returns the certificate for localhost on disk if it is good, and else a new one that replaces it. A broken one
// is replaced too: unlike the authority, nobody has trusted it.
func (s *devStore) leaf(ca *issuer) (*tls.Certificate, error) {
	data, err := s.readPrivate(leafFile)
	switch {
	case err == nil:
		pair, err := tls.X509KeyPair(data, data)
		if err == nil && !ca.due(pair.Leaf, time.Now()) {
			return &pair, nil
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	cert, err := ca.issue()
	if err != nil {
		return nil, err
	}
	if data, err = bundle(cert.Certificate[0], cert.PrivateKey.(*ecdsa.PrivateKey)); err != nil {
		return nil, err
	}
	if err := s.write(leafFile, data, os.Rename); err != nil {
		return nil, err
	}
	return cert, nil
}

// readPrivate reads a file that holds a key. It asks the open file for its owner and its mode, so that no other can be
// swapped in.
func (s *devStore) readPrivate(name string) ([]byte, error) {
	f, err := os.Open(s.path(name))
	if err != nil {
		return nil, fmt.Errorf("tlsconf: development CA: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("tlsconf: development CA: %w", err)
	}
	if err := checkOwner(f.Name(), info); err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); hasModes() && mode&0o077 != 0 {
		return nil, fmt.Errorf("tlsconf: others may read the private key %s (mode %04o): if nobody has, run chmod 600 %s; "+
			"if somebody may have, remove the directory %s and withdraw your trust in its ca.pem", f.Name(), mode, f.Name(), s.dir)
	}
	return io.ReadAll(f)
}

// write makes a complete file with mode 0600 under a temporary name, then gives it its own by rename or link.
func (s *devStore) write(name string, data []byte, publish func(from, to string) error) error {
	f, err := os.CreateTemp(s.dir, "."+name+"-*") // has mode 0600
	if err != nil {
		return fmt.Errorf("tlsconf: development CA: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = publish(f.Name(), s.path(name))
	}
	if err != nil {
		return fmt.Errorf("tlsconf: development CA: %w", err)
	}
	return nil
}

// linkOnce gives a file its name unless the name is taken, in which case the other file stays and all is well. Where
// there are no hard links it looks first and then renames, which two processes may do at once: the last one wins, and
// both read what it wrote unless they meet within that instant.
func linkOnce(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	return os.Rename(from, to)
}
