package suite

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
)

// The paths of a fuzzing server, which are the original's.
const (
	pathCount  = "/getCaseCount"
	pathInfo   = "/getCaseInfo"
	pathRun    = "/runCase"
	pathStatus = "/getCaseStatus"
	pathUpdate = "/updateReports"
	pathStop   = "/stopServer"
)

// errand is what a client has asked for by its URL.
type errand struct {
	// compression is what was agreed on for a case; nil: none.
	compression *compression
	path        string
	agent       string
	number      int // of the case among the selected ones, from 1; 0 is none
	stop        bool
}

// errand reads a request's URL. An argument that cannot be understood is an error wherever it stands.
func (s *Server) errand(u *url.URL) (errand, error) {
	e := errand{path: u.Path}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return e, err
	}
	for _, name := range []string{"agent", "case", "casetuple", "shutdownOnComplete"} {
		if len(query[name]) > 1 {
			return e, errors.New(name + " is there more than once")
		}
	}
	e.agent = query.Get("agent")
	if len(e.agent) > maxAgentName {
		return e, errors.New("agent is longer than 200 octets")
	}
	if query.Has("casetuple") {
		if e.number = s.place(strings.TrimSpace(query.Get("casetuple"))); e.number == 0 {
			return e, errors.New("casetuple names none of the selected cases")
		}
	}
	if query.Has("case") { // the original has it win
		e.number, err = strconv.Atoi(strings.TrimSpace(query.Get("case")))
		if err != nil || e.number < 0 || e.number > len(s.cases) {
			return e, errors.New("case is not a number from 1 to that of the selected cases")
		}
	}
	e.stop = strings.EqualFold(query.Get("shutdownOnComplete"), "true") || strings.EqualFold(query.Get("shutdownOnComplete"), "yes")
	return e, e.complete()
}

// complete says what a path lacks.
func (e *errand) complete() error {
	needsCase, needsAgent := false, false
	switch e.path {
	case pathCount, pathStop:
	case pathInfo:
		needsCase = true
	case pathUpdate:
		needsAgent = true
	case pathRun, pathStatus:
		needsCase, needsAgent = true, true
	default:
		return errNoPath
	}
	if needsCase && e.number == 0 {
		return errors.New("a case is needed")
	}
	if needsAgent && e.agent == "" {
		return errors.New("an agent is needed")
	}
	return nil
}

var errNoPath = errors.New("there are getCaseCount, getCaseInfo, runCase, getCaseStatus, updateReports and stopServer")

// refusal is the answer to an errand that makes no sense. The status 500 is the original's.
func refusal(err error) error {
	status := http.StatusInternalServerError
	if errors.Is(err, errNoPath) {
		status = http.StatusNotFound
	}
	return &handshake.Error{Status: status, Token: "errand", Reason: err.Error(), Body: []byte(err.Error() + "\n"), Err: err}
}

// control runs the connection of an errand that is no case: whatever drive sends, and a closing handshake.
func (s *Server) control(ctx context.Context, at *opened, drive func(context.Context, *Peer)) {
	c := &Case{Closing: normalClosing(), ClosesItself: true, Drive: drive, limit: errandWait}
	p := newPeer(c, at, newResult(c, 0, ""), pace{slowness: s.options.Slowness})
	defer p.leave()
	p.run(ctx)
}

// tell answers an errand with a message.
func (s *Server) tell(ctx context.Context, at *opened, answer any) {
	s.control(ctx, at, func(_ context.Context, p *Peer) { p.answer(answer) })
}

// answer sends a message in JSON and closes.
func (p *Peer) answer(v any) {
	data, err := json.Marshal(v)
	if err != nil {
		p.Close(frame.InternalError)
		return
	}
	p.Send(text(string(data)), closeFrame(""))
}

// The times that a client waits for what it has asked for, at most: for a verdict, for its cases to end before reports are
// written, and for anything else.
const (
	errandWait = 20 * time.Second
	statusWait = 2 * time.Minute
	updateWait = 5 * time.Second
)

// status answers with the verdict on a case when there is one.
func (s *Server) status(ctx context.Context, at *opened, e errand) {
	id := s.cases[e.number-1].ID
	s.control(ctx, at, func(ctx context.Context, p *Peer) {
		p.after("give up", statusWait, func() { p.drop("there is no verdict yet") })
		for p.Open() {
			result, changed := s.agents.result(e.agent, id)
			if result != nil {
				p.answer(map[string]any{"behavior": result.Behavior})
				return
			}
			p.wake = changed
			p.turn(ctx)
		}
	})
}

// update has the reports written when the agent's last case has ended, which the client may know before we do.
func (s *Server) update(ctx context.Context, at *opened, e errand) {
	s.control(ctx, at, func(ctx context.Context, p *Peer) {
		late := false
		p.after("update", updateWait, func() { late = true })
		for p.Open() && !late {
			busy, changed := s.agents.busy(e.agent)
			if !busy {
				break
			}
			p.wake = changed
			p.turn(ctx)
		}
		delete(p.timers, "update")
		if err := s.report(); err != nil {
			p.Close(frame.InternalError)
			return
		}
		p.Send(closeFrame(""))
	})
}
