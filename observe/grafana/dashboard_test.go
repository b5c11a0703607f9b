package grafana

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	sdkprometheus "github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/seed-c4549abd/wss/observe/internal/observetest"
	wssprometheus "github.com/seed-c4549abd/wss/observe/prometheus"
)

// schema is the format that has a schemaVersion. The one of dashboardv2, which the package prefers, needs a newer Grafana.
//
//lint:ignore SA1019 see above
type schema = dashboard.Dashboard

func load(t *testing.T) (raw []byte, d schema) {
	t.Helper()
	raw, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	plugins.RegisterDefaultPlugins() // what a panel's type has for options
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return raw, d
}

// strict is UnmarshalJSONStrict of the dashboard, or of a panel, which returns an empty list of errors where there is none, and stops
// at a panel then.
func strict(d interface{ UnmarshalJSONStrict([]byte) error }, raw []byte) error {
	err := d.UnmarshalJSONStrict(raw)
	if list, ok := errors.AsType[cog.BuildErrors](err); ok && len(list) == 0 {
		return nil
	}
	return err
}

// problem says what the schema does not allow.
func problem(raw []byte) error {
	var panels struct {
		Panels []json.RawMessage `json:"panels"`
	}
	err := errors.Join(strict(new(schema), raw), json.Unmarshal(raw, &panels))
	for _, p := range panels.Panels {
		err = errors.Join(err, strict(new(dashboard.Panel), p))
	}
	return err
}

// TestTheDashboardFollowsTheSchema that Grafana publishes: no field is unknown, none is missing, and every value is allowed.
func TestTheDashboardFollowsTheSchema(t *testing.T) {
	raw, d := load(t)
	if err := errors.Join(problem(raw), d.Validate()); err != nil {
		t.Error(err)
	}
	if d.Uid == nil || d.Id != nil || len(d.Panels) < 10 {
		t.Errorf("%d panels", len(d.Panels))
	}
	// The check finds what is wrong: else all would be right.
	for _, change := range [][2]string{
		{`"title": "Messages"`, `"titel": "Messages"`}, {`"drawStyle": "line"`, `"drawStyel": "line"`}, {`"expr": "`, `"exrp": "`}, {`"schemaVersion": 39`, `"schemaVersion": "39"`},
	} {
		broken := strings.Replace(string(raw), change[0], change[1], 1)
		if broken == string(raw) || problem([]byte(broken)) == nil {
			t.Errorf("%s is accepted", change[1])
		}
	}
}

// TestPanelsDoNotOverlap, and have identifiers and descriptions of their own.
func TestPanelsDoNotOverlap(t *testing.T) {
	_, d := load(t)
	ids, cells := map[uint32]bool{}, map[[2]uint32]string{}
	for _, p := range d.Panels {
		if p.Panel.Id == nil || ids[*p.Panel.Id] || p.Panel.Description == nil {
			t.Errorf("%s: identifier or description", *p.Panel.Title)
			continue
		}
		ids[*p.Panel.Id] = true
		g := p.Panel.GridPos
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := cells[[2]uint32{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%s overlaps %q at %d, %d", *p.Panel.Title, other, x, y)
				}
				cells[[2]uint32{x, y}] = *p.Panel.Title
			}
		}
	}
}

// expressions are those of the dashboard, with Grafana's variables filled in.
func expressions(t *testing.T) (all []string) {
	t.Helper()
	_, d := load(t)
	fill := strings.NewReplacer("$__rate_interval", "1m", "$job", ".*", "$instance", ".*")
	for _, p := range d.Panels {
		for _, target := range p.Panel.Targets {
			all = append(all, fill.Replace(target.(*sdkprometheus.Dataquery).Expr))
		}
	}
	for _, v := range d.Templating.List {
		if query, ok := strings.CutPrefix(definition(t, v), "label_values("); ok {
			expr, _, _ := strings.Cut(query, ", ")
			all = append(all, fill.Replace(expr))
		}
	}
	return all
}

func definition(t *testing.T, v dashboard.VariableModel) string {
	t.Helper()
	if v.Query == nil || v.Query.Map == nil {
		return ""
	}
	return fmt.Sprint(v.Query.Map["query"])
}

// scraped are the metrics of a scrape with their labels; of histograms those of their buckets.
func scraped(t *testing.T) map[string][]string {
	t.Helper()
	observer, registry := wssprometheus.New(wssprometheus.Options{}), prometheus.NewPedanticRegistry()
	registry.MustRegister(observer)
	observetest.Scene(t, observer, nil)()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	metrics := map[string][]string{}
	for _, f := range families {
		labels := []string{"job", "instance"} // of the scrape
		for _, l := range f.Metric[0].Label {
			labels = append(labels, l.GetName())
		}
		if f.Metric[0].Histogram != nil {
			metrics[f.GetName()+"_bucket"] = append(labels, "le")
			continue
		}
		metrics[f.GetName()] = labels
	}
	return metrics
}

// used returns the metrics of an expression, and complains of metrics and labels that no scrape has.
func used(t *testing.T, expr string, metrics map[string][]string) (names []string) {
	t.Helper()
	tree, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Errorf("%s: %v", expr, err)
		return nil
	}
	parser.Inspect(tree, func(n parser.Node, path []parser.Node) error {
		switch n := n.(type) {
		case *parser.VectorSelector:
			labels, ok := metrics[n.Name]
			if !ok {
				t.Errorf("%s: no scrape has %s", expr, n.Name)
			}
			names = append(names, n.Name)
			for _, m := range n.LabelMatchers {
				if m.Name != "__name__" && !slices.Contains(labels, m.Name) {
					t.Errorf("%s: %s has no label %s", expr, n.Name, m.Name)
				}
			}
		case *parser.AggregateExpr:
			for _, label := range n.Grouping {
				if below := used(t, n.Expr.String(), metrics); !slices.ContainsFunc(below, func(name string) bool { return slices.Contains(metrics[name], label) }) {
					t.Errorf("%s: nothing has the label %s", expr, label)
				}
			}
		}
		return nil
	})
	return names
}

// TestTheDashboardShowsEveryMetric, and none that does not exist.
func TestTheDashboardShowsEveryMetric(t *testing.T) {
	metrics := scraped(t)
	shown := map[string]bool{}
	for _, expr := range expressions(t) {
		for _, name := range used(t, expr, metrics) {
			shown[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		if !shown[name] {
			t.Errorf("%s is not shown", name)
		}
	}
	if len(metrics) != 19 {
		t.Errorf("%d metrics", len(metrics))
	}
}

// TestAlertsOfTheDocumentation parse, and are about metrics that exist.
func TestAlertsOfTheDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../docs/how-to/monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	metrics := scraped(t)
	n := 0
	for _, m := range regexp.MustCompile(`(?m)^ +expr: (.+)$`).FindAllStringSubmatch(string(page), -1) {
		used(t, m[1], metrics)
		n++
	}
	if n < 5 {
		t.Errorf("%d alerts", n)
	}
	for name := range metrics {
		if !strings.Contains(string(page), "`"+strings.TrimSuffix(name, "_bucket")+"`") {
			t.Errorf("%s is not in the table", name)
		}
	}
}
