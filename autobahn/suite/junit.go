package suite

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/seed-c4549abd/wss/autobahn/report"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`

	seconds float64
}

type junitCase struct {
	Class      string           `xml:"classname,attr"`
	Name       string           `xml:"name,attr"`
	Time       string           `xml:"time,attr"`
	Properties *junitProperties `xml:"properties"`
	Failure    *junitFailure    `xml:"failure"`
	Output     *junitText       `xml:"system-out"`
}

type junitProperties struct {
	All []junitProperty `xml:"property"`
}

// junitText is text that holds no character that XML does not have.
type junitText struct {
	Text string `xml:",cdata"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",cdata"`
}

// WriteJUnit writes the reports in the XML that CI systems read: a test suite for each group of cases and agent, a test for
// each case. Verdicts are properties where they are not both OK. A case that does not pass is a failure unless known has it
// with just these verdicts, and so is one that known has and that passes; nil knows of none. It returns the error of w.
func WriteJUnit(w io.Writer, known *report.Golden, reports ...*Report) error {
	all := junitSuites{Name: "WebSocket conformance"}
	seconds := 0.0
	for _, r := range reports {
		for _, s := range r.junit(known) {
			all.Tests += s.Tests
			all.Failures += s.Failures
			seconds += s.seconds
			all.Suites = append(all.Suites, s)
		}
	}
	all.Time = fmt.Sprintf("%.3f", seconds)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// junit returns a suite for each group that has cases.
func (r *Report) junit(known *report.Golden) []junitSuite {
	problems := map[string]report.Problem{}
	for _, p := range r.Problems(known) {
		problems[p.ID] = p
	}
	results := map[string]*Result{}
	for _, result := range r.Results {
		results[result.ID] = result
	}
	var suites []junitSuite
	for _, group := range report.Groups() {
		s := junitSuite{Name: fmt.Sprintf("%s: %s %s", visible(r.Agent), group.ID, group.Name)}
		for _, id := range r.Cases {
			if !strings.HasPrefix(id, group.ID+".") {
				continue
			}
			c := junitCase{Class: visible(r.Agent) + "." + group.ID, Name: id, Time: "0.000"}
			if result := results[id]; result != nil {
				s.seconds += result.Duration.Seconds()
				c.fill(result, known)
			}
			if p, bad := problems[id]; bad {
				c.Failure = failure(p, results[id])
				s.Failures++
			}
			s.Cases = append(s.Cases, c)
		}
		s.Tests, s.Time = len(s.Cases), fmt.Sprintf("%.3f", s.seconds)
		if s.Tests > 0 {
			suites = append(suites, s)
		}
	}
	return suites
}

// fill says what a result is beside its failure.
func (c *junitCase) fill(r *Result, known *report.Golden) {
	c.Time = fmt.Sprintf("%.3f", r.Duration.Seconds())
	if r.Behavior == report.OK && r.BehaviorClose == report.OK {
		return
	}
	c.Properties = &junitProperties{[]junitProperty{
		{"behavior", string(r.Behavior)}, {"behaviorClose", string(r.BehaviorClose)},
	}}
	if d, ok := known.Find(r.ID); ok {
		c.Properties.All = append(c.Properties.All, junitProperty{"known", visible(d.Reason)})
	}
	c.Output = &junitText{visible(r.Result + "\n" + r.ResultClose)}
}

// failure describes a problem, with the end of the wire log.
func failure(p report.Problem, r *Result) *junitFailure {
	message, _, _ := strings.Cut(p.String(), "\n")
	f := &junitFailure{Message: visible(message), Type: "missing", Text: visible(p.String())}
	if r != nil {
		f.Type, f.Text = fmt.Sprintf("%s, %s", r.Behavior, r.BehaviorClose), visible(p.String())+"\n"+r.Explain(junitLines)
	}
	return f
}

// junitLines is how much of a wire log a failure shows.
const junitLines = 30
