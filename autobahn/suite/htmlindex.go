package suite

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
)

// indexPage is what the table of all cases shows.
type indexPage struct {
	Style  template.CSS
	Agents []string
	Groups []indexGroup
	Totals []verdict
}

// indexGroup is a group of cases; Open has its cases shown, as not all pass.
type indexGroup struct {
	ID, Name string
	Sums     []verdict
	Rows     []indexRow
	Open     bool
}

type indexRow struct {
	ID, Description string
	Cells           []indexCell
}

// indexCell is a case of an agent. Without a file it was not run.
type indexCell struct {
	File, Time      string
	Behavior, Close verdict
	ByRFC           *verdictsByRFC
}

func indexOf(style template.CSS, reports []*Report, names []string) *indexPage {
	page := &indexPage{Style: style}
	results := make([]map[string]*Result, len(reports))
	var all []string
	for i, r := range reports {
		page.Agents = append(page.Agents, visible(r.Agent))
		results[i] = map[string]*Result{}
		for _, result := range r.Results {
			results[i][result.ID] = result
		}
		all = append(all, r.Cases...)
	}
	for _, group := range report.AllGroups() {
		g := indexGroup{ID: group.ID, Name: group.Name}
		for _, id := range group.Cases {
			if slices.Contains(all, id) {
				g.Rows = append(g.Rows, rowOf(id, results, names))
			}
		}
		if g.Rows == nil {
			continue
		}
		for i, r := range reports {
			sum, open := sumOf(r, results[i], group.ID+".")
			g.Sums = append(g.Sums, sum)
			g.Open = g.Open || open
		}
		page.Groups = append(page.Groups, g)
	}
	for i, r := range reports {
		total, _ := sumOf(r, results[i], "")
		page.Totals = append(page.Totals, total)
	}
	return page
}

func rowOf(id string, results []map[string]*Result, names []string) indexRow {
	row := indexRow{ID: id}
	for i := range results {
		r := results[i][id]
		if r == nil {
			row.Cells = append(row.Cells, indexCell{})
			continue
		}
		row.Description = visible(r.Description)
		cell := indexCell{File: fileName(names[i], id, ".html"), Behavior: verdictOf(r.Behavior), Close: verdictOf(r.BehaviorClose), ByRFC: byRFC(r)}
		if r.RemoteCloseCode != nil {
			cell.Close.Text += fmt.Sprintf(" %d", *r.RemoteCloseCode)
		}
		if r.ReportTime {
			cell.Time = r.Duration.Round(time.Millisecond).String()
		}
		row.Cells = append(row.Cells, cell)
	}
	return row
}

// sumOf counts the cases that pass, and says whether one does not.
func sumOf(r *Report, results map[string]*Result, prefix string) (sum verdict, open bool) {
	passed, all := 0, 0
	for _, id := range r.Cases {
		if !strings.HasPrefix(id, prefix) {
			continue
		}
		all++
		if result := results[id]; result != nil && result.Passes() {
			passed++
		}
	}
	switch {
	case all == 0:
		return verdict{"none", "not selected"}, false
	case passed == all:
		return verdict{"ok", fmt.Sprintf("pass: all %d", all)}, false
	}
	return verdict{"bad", fmt.Sprintf("fail: %d of %d pass", passed, all)}, true
}
