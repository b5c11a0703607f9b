package suite

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
)

//go:embed html
var htmlFiles embed.FS

// pages are the templates and the style sheet that every page holds: nothing is loaded from elsewhere, and no script runs.
type pages struct {
	index, page *template.Template
	style       template.CSS
}

var loadPages = sync.OnceValue(func() pages {
	style, err := htmlFiles.ReadFile("html/style.css")
	if err != nil {
		panic(err) // it is in the executable
	}
	return pages{
		index: template.Must(template.ParseFS(htmlFiles, "html/index.html")),
		page:  template.Must(template.ParseFS(htmlFiles, "html/case.html")),
		style: template.CSS(style),
	}
})

// WriteHTML writes index.html, with a table of all cases and agents, and a page for every case into a directory, which it
// makes if need be. Whatever came from a peer is escaped.
func WriteHTML(dir string, reports ...*Report) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	p := loadPages()
	names := stems(reports)
	errs := []error{writePage(filepath.Join(dir, "index.html"), p.index, indexOf(p.style, reports, names))}
	for i, r := range reports {
		link := func(n int) string {
			if n < 0 || n >= len(r.Results) {
				return ""
			}
			return fileName(names[i], r.Results[n].ID, ".html")
		}
		for n, result := range r.Results {
			page := pageOf(p.style, result)
			page.Before, page.Next = link(n-1), link(n+1)
			errs = append(errs, writePage(filepath.Join(dir, link(n)), p.page, page))
		}
	}
	return errors.Join(errs...)
}

func writePage(path string, t *template.Template, data any) error {
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return err
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}

// verdict is one as a page shows it: its colour says no more than its text.
type verdict struct{ Class, Text string }

func verdictOf(b report.Behavior) verdict {
	v := verdict{"bad", string(b)}
	switch b {
	case report.OK:
		v.Class = "ok"
	case report.Informational:
		v.Class = "info"
	case report.NonStrict:
		v.Class = "warn"
	}
	return v
}

// casePage is what the page of a case shows.
type casePage struct {
	Style                                  template.CSS
	ID, Agent, Role, Started, Duration     string
	Description, Expectation, Section      string
	Behavior, Close                        verdict
	ByRFC                                  *verdictsByRFC
	Result, ResultClose, Request, Response string
	Wanted, Closing                        []detail
	Log                                    []LogLine
	Before, Next                           string // files
}

type detail struct{ Name, Text string }

func pageOf(style template.CSS, r *Result) *casePage {
	page := &casePage{
		Style: style, ID: r.ID, Agent: visible(r.Agent), Role: "server", Started: r.Started.Format("2006-01-02 15:04:05 UTC"),
		Duration: r.Duration.Round(time.Millisecond).String(), Description: visible(r.Description), Expectation: visible(r.Expectation), Section: Section(r.ID),
		Behavior: verdictOf(r.Behavior), Close: verdictOf(r.BehaviorClose), Result: visible(r.Result), ResultClose: visible(r.ResultClose),
		ByRFC: byRFC(r), Request: head(r.HTTPRequest), Response: head(r.HTTPResponse), Closing: r.closingDetails(),
	}
	if r.Server {
		page.Role = "client"
	}
	for _, o := range r.outcomes {
		page.Wanted = append(page.Wanted, detail{string(o.Verdict), visible(events(o.Events))})
	}
	page.Wanted = append(page.Wanted, detail{"came", visible(r.came(mostEvents))})
	for _, l := range r.WireLog() {
		l.What, l.Payload = visible(l.What), visible(l.Payload)
		page.Log = append(page.Log, l)
	}
	return page
}

// verdictsByRFC are those by the RFC alone, as a page shows them.
type verdictsByRFC struct {
	Behavior, Close     verdict
	Result, ResultClose string
}

// byRFC is nil where there are no others than the original's.
func byRFC(r *Result) *verdictsByRFC {
	if r.ByRFC == nil {
		return nil
	}
	return &verdictsByRFC{
		verdictOf(r.ByRFC.Behavior), verdictOf(r.ByRFC.BehaviorClose), visible(r.ByRFC.Result), visible(r.ByRFC.ResultClose),
	}
}

// head is the head of a request or response, line by line.
func head(s string) string {
	if s == "" {
		return "(none)"
	}
	return visible(strings.ReplaceAll(strings.TrimRight(s, "\r\n"), "\r\n", "\n"))
}

func (r *Result) closingDetails() []detail {
	yes := map[bool]string{true: "yes", false: "no"}
	all := []detail{
		{"begun by", map[bool]string{true: "the suite", false: "the peer"}[r.ClosedByMe]},
		{"the suite sent", visible(closeText(r.LocalCloseCode, r.LocalCloseReason))},
		{"the peer sent", visible(closeText(r.RemoteCloseCode, r.RemoteCloseReason))},
		{"both close frames were seen", yes[r.bothClosed || r.WasClean]},
		{"the suite failed the connection", yes[r.FailedByMe]},
		{"the suite ended the TCP connection", yes[r.DroppedByMe]},
	}
	if r.leftOpen() {
		all = append(all, detail{"the server ended the TCP connection", "no"})
	}
	if r.timedOut != "" {
		all = append(all, detail{"a wait was in vain", visible(r.timedOut)})
	}
	if r.traffic != nil {
		all = append(all, detail{"messages were compressed", r.traffic.String()})
	}
	if r.WasNotCleanReason != nil {
		all = append(all, detail{"why it was not clean", visible(*r.WasNotCleanReason)})
	}
	return all
}
