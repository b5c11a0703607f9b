package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/seed-c4549abd/wss/test/install"
	"github.com/seed-c4549abd/wss/test/process"
)

// peer is another implementation.
type peer struct {
	name   string
	family string
	roles  []string // what it can be: "client", "server"
	// command returns the program with its first arguments; dir is what the family's install returned. To it are added:
	//
	//	version
	//	client CAFILE URL...
	//	server PORT CERTFILE KEYFILE
	command func(m *matrix, dir string) process.Command
	cannot  map[string]string // checks that its API does not allow, and why
	faults  []fault
}

// fault is a failure that is known to be the peer's.
type fault struct {
	role, check string // empty: in any
	like        string // a regular expression that the failure's text matches
	shows       string // what shows whose fault it is
}

// fault returns what shows that a failure is the peer's fault; "" if that is not known.
func (p *peer) fault(role, check string, err error) string {
	for _, f := range p.faults {
		if err != nil && (f.role == "" || f.role == role) && (f.check == "" || f.check == check) && regexp.MustCompile(f.like).MatchString(err.Error()) {
			return f.shows
		}
	}
	return ""
}

// only are the roles of a peer.
var (
	both       = []string{"client", "server"}
	clientOnly = []string{"client"}
	serverOnly = []string{"server"}
)

// family is peers that are installed together.
type family struct {
	slow    bool // it takes long to build: it is run only if it is asked for
	install func(ctx context.Context, m *matrix) (dir string, err error)
}

// allFamilies, and peers, are filled in by a file for each family.
var (
	allFamilies = map[string]*family{}
	peers       []*peer
)

// matrix is a run.
type matrix struct {
	options *options
	cache   install.Cache
	work    string // ends with the run
	log     io.Writer
	report  *report
	first   map[[3]string]error // failures of checks that were repeated, by peer, role and check
}

// programs are the peers' programs; how they are called is in peers/README.md.
//
//go:embed all:peers
var programs embed.FS

// program returns the path of a peer's program.
func (m *matrix) program(name string) string {
	return filepath.Join(m.work, "peers", filepath.FromSlash(name))
}

// writePrograms writes the peers' programs to where they can be run.
func (m *matrix) writePrograms() error {
	return fs.WalkDir(programs, ".", func(path string, entry fs.DirEntry, err error) error {
		to := filepath.Join(m.work, filepath.FromSlash(path))
		if err != nil || entry.IsDir() {
			return errors.Join(err, os.MkdirAll(to, 0o755))
		}
		text, err := programs.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o755)
	})
}

// run runs the peers that are wanted, family by family.
func (m *matrix) run(ctx context.Context) error {
	if err := m.writePrograms(); err != nil {
		return err
	}
	s, err := newServers(m.work)
	if err != nil {
		return err
	}
	defer s.close()
	dirs, failed := map[string]string{}, map[string]error{}
	for _, p := range peers {
		if !m.options.wants(p) {
			continue
		}
		if _, ok := dirs[p.family]; !ok {
			dirs[p.family], failed[p.family] = allFamilies[p.family].install(ctx, m)
		}
		if err := failed[p.family]; err != nil {
			m.report.add(p, "", "installed", err)
			continue
		}
		m.runPeer(ctx, s, p, dirs[p.family])
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (m *matrix) runPeer(ctx context.Context, s *servers, p *peer, dir string) {
	command := p.command(m, dir)
	version, err := install.Run(ctx, with(command, "version"))
	if err != nil {
		m.report.add(p, "", "installed", err)
		return
	}
	lines := strings.Split(strings.TrimSpace(version), "\n")
	m.report.begin(p, strings.TrimSpace(lines[len(lines)-1]))
	for _, role := range p.roles {
		if m.options.role != "" && m.options.role != role {
			continue
		}
		if role == "client" {
			err = m.foreignClient(ctx, s, p, command)
		} else {
			err = m.foreignServer(ctx, s, p, command)
		}
		if err != nil {
			m.report.add(p, role, "run", err)
		}
	}
}

// with returns a command with more arguments.
func with(c process.Command, args ...string) process.Command {
	c.Args = append(c.Args[:len(c.Args):len(c.Args)], args...)
	return c
}

// end is what a peer says of a connection.
type end struct {
	Closed *int    // the code; 0 if its API does not tell
	Reason *string // nil if its API does not tell
	Failed string  // there was no connection, and why
}

func (e end) String() string {
	switch {
	case e.Closed == nil:
		return fmt.Sprintf("no connection: %s", e.Failed)
	case e.Reason == nil:
		return fmt.Sprintf("code %d", *e.Closed)
	}
	return fmt.Sprintf("code %d, reason %q", *e.Closed, *e.Reason)
}
