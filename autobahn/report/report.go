package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Behavior is the suite's verdict on a case, or on how its connection was closed.
type Behavior string

// The verdicts of the suite. Others may appear in a report; they are failures.
const (
	// OK: as RFC 6455 has it.
	OK Behavior = "OK"
	// Informational: the RFC leaves it open, and the suite takes a note.
	Informational Behavior = "INFORMATIONAL"
	// NonStrict: it breaks a SHOULD, such as failing on invalid UTF-8 later than possible.
	NonStrict Behavior = "NON-STRICT"
	// Failed: it breaks a MUST, or did not answer in time.
	Failed Behavior = "FAILED"
	// Unimplemented: the testee refused the extension that the case is about.
	Unimplemented Behavior = "UNIMPLEMENTED"
	// WrongCode: closed with another status code than the RFC's. Of a closing behavior alone.
	WrongCode Behavior = "WRONG CODE"
	// Unclean: the connection ended without a closing handshake. Of a closing behavior alone.
	Unclean Behavior = "UNCLEAN"
	// FailedByClient: the client had to end the TCP connection, which is the server's part (RFC 6455 §7.1.1). Of a
	// closing behavior alone.
	FailedByClient Behavior = "FAILED BY CLIENT"
)

// Case is the outcome of one case.
type Case struct {
	// ID is the suite's, such as "7.13.1".
	ID string
	// Behavior is the verdict on the messages, and BehaviorClose that on the closing of the connection.
	Behavior, BehaviorClose Behavior
	// CloseCode is the status code that the testee sent in its close frame; 0 if it sent none.
	CloseCode int
	// Duration is how long the connection lasted, to the millisecond.
	Duration time.Duration
	// File is the path of the suite's own report of the case, in JSON; one in HTML is beside it.
	File string

	// ByRFC and ByRFCClose are the verdicts by the RFC alone, where package suite has others than the original's; else empty.
	ByRFC, ByRFCClose Behavior
	// ResultByRFC says why.
	ResultByRFC string

	// Description, Result and ResultClose say what the case does and what was seen, in the suite's words without markup.
	// They are read for cases that do not pass, and empty for the others or if File cannot be read.
	Description, Result, ResultClose string
}

// informational are the cases whose outcome the suite never judges.
var informational = []string{"7.1.6", "7.13.1", "7.13.2"}

// Passes says whether both verdicts are OK, or INFORMATIONAL for one of the three cases where that is all there is.
func (c *Case) Passes() bool {
	fine := func(b Behavior) bool {
		return b == OK || b == Informational && slices.Contains(informational, c.ID)
	}
	return fine(c.Behavior) && fine(c.BehaviorClose)
}

// Report is what the suite found about one testee.
type Report struct {
	// Agent is the testee's name as the suite knew it.
	Agent string
	// Cases are the outcomes by case id.
	Cases map[string]Case
}

// Read reads the report about an agent from the directories that the suite wrote (with their index.json), and joins
// them to one: each directory may hold a shard of the cases. An empty agent means the only one there is. What can be
// read is returned even with an error, which may hold one for each directory: a missing or broken index, another
// agent, or a case that two shards claim.
func Read(agent string, dirs ...string) (*Report, error) {
	r := &Report{Agent: agent, Cases: map[string]Case{}}
	var errs []error
	for _, dir := range dirs {
		if err := r.add(dir); err != nil {
			errs = append(errs, fmt.Errorf("report: %w", err))
		}
	}
	return r, errors.Join(errs...)
}

// indexCase is a case in index.json. The suite writes the close code as null if there was none.
type indexCase struct {
	Behavior        Behavior `json:"behavior"`
	BehaviorClose   Behavior `json:"behaviorClose"`
	RemoteCloseCode *int     `json:"remoteCloseCode"`
	Duration        int64    `json:"duration"` // milliseconds
	ReportFile      string   `json:"reportfile"`
}

func (r *Report) add(dir string) error {
	path := filepath.Join(dir, "index.json")
	var index map[string]map[string]indexCase
	if err := readJSON(path, &index); err != nil {
		return err
	}
	agents := slices.Sorted(maps.Keys(index))
	if r.Agent == "" && len(agents) == 1 {
		r.Agent = agents[0]
	}
	cases, ok := index[r.Agent]
	if !ok {
		return fmt.Errorf("%s is about the agents %q: name one of them, have %q", path, agents, r.Agent)
	}
	for id, c := range cases {
		if other, twice := r.Cases[id]; twice {
			return fmt.Errorf("%s holds case %s, which %s holds too", path, id, filepath.Dir(other.File))
		}
		r.Cases[id] = c.outcome(id, dir)
	}
	return nil
}

func (c indexCase) outcome(id, dir string) Case {
	out := Case{
		ID:            id,
		Behavior:      c.Behavior,
		BehaviorClose: c.BehaviorClose,
		Duration:      time.Duration(c.Duration) * time.Millisecond,
		File:          filepath.Join(dir, filepath.Base(c.ReportFile)),
	}
	if c.RemoteCloseCode != nil {
		out.CloseCode = *c.RemoteCloseCode
	}
	if !out.Passes() {
		out.readDetails()
	}
	return out
}

func (c *Case) readDetails() {
	var details struct {
		Description string `json:"description"`
		Result      string `json:"result"`
		ResultClose string `json:"resultClose"`
		ByRFC       struct {
			Behavior      Behavior `json:"behavior"`
			BehaviorClose Behavior `json:"behaviorClose"`
			Result        string   `json:"result"`
		} `json:"byRFC"`
	}
	if err := readJSON(c.File, &details); err != nil {
		return // the verdict stands without them
	}
	c.Description = plain(details.Description)
	c.Result = plain(details.Result)
	c.ResultClose = plain(details.ResultClose)
	c.ByRFC, c.ByRFCClose = details.ByRFC.Behavior, details.ByRFC.BehaviorClose
	c.ResultByRFC = plain(details.ByRFC.Result)
}

// plain keeps the first paragraph of the suite's HTML, on one line.
func plain(text string) string {
	text, _, _ = strings.Cut(text, "<")
	return strings.Join(strings.Fields(text), " ")
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
