package report

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// style serves light and dark pages: the background is transparent, and the colours
// follow the reader's.
const style = `<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 } .small { font-size: 11px; fill: #57606a }
.ours { fill: #1f77d0 } .peer { fill: #8c959f } .baseline { fill: #c0a36b } .missed { fill: #cf4b3f }
.axis { stroke: #afb8c1 } .limit { stroke: #24292f; stroke-dasharray: 4 3 } .whisker { stroke: #24292f; opacity: .6 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9da7b1 }
.ours { fill: #58a6ff } .peer { fill: #6e7681 } .baseline { fill: #a88c56 } .missed { fill: #f47067 }
.axis { stroke: #484f58 } .limit, .whisker { stroke: #e6edf3 }
}
</style>
`

// bar is one bar of a chart.
type bar struct {
	label, value, class string
	length, low, high   float64
}

// Plots draws the first metric of every table that has one, and the marks; the map's
// keys are the tables'.
func (r *Report) Plots() map[string]string {
	all := map[string]string{}
	for i := range r.Tables {
		t := &r.Tables[i]
		if len(t.Lines) == 0 || len(t.Metrics) == 0 {
			continue
		}
		if t.Across {
			all[t.Key] = t.curves()
		} else {
			all[t.Key] = t.bars()
		}
	}
	if len(r.Marks) > 0 {
		all["marks"] = r.marksChart()
	}
	return all
}

// bars is a chart of a table's first metric.
func (t *Table) bars() string {
	m := t.Metrics[0]
	var bars []bar
	for _, l := range t.Lines {
		v, ok := l.Values[m.Key]
		if !ok {
			continue
		}
		bars = append(bars, bar{l.Name, Number(v.Median) + " " + m.Unit, l.Kind, v.Median, v.Q1, v.Q3})
	}
	better := "less is better"
	if m.More {
		better = "more is better"
	}
	return chart(t.Title, m.title()+"; the line spans the quartiles; "+better, bars, 0)
}

// marksChart shows every mark as a part of its limit.
func (r *Report) marksChart() string {
	var bars []bar
	for _, m := range r.Marks {
		if m.Value.N == 0 || m.Limit == 0 {
			continue
		}
		class := "ours"
		if m.Verdict == Missed {
			class = "missed"
		}
		part := func(v float64) float64 { return math.Min(v/m.Limit, 3) }
		bars = append(bars, bar{
			fmt.Sprintf("%d. %s, against %s", m.Row, m.Work, m.against()), Number(m.Value.Median) + " of " + Number(m.Limit), class,
			part(m.Value.Median), part(m.Value.Q1), part(m.Value.Q3),
		})
	}
	return chart("The marks", "the measured value as a part of its limit, which is the dashed line; cut at 3", bars, 1)
}

func (m *Mark) against() string {
	if m.Against == "" {
		return "the limit"
	}
	return m.Against
}

// chart draws horizontal bars; limit is where a line is drawn, or 0.
func chart(title, caption string, bars []bar, limit float64) string {
	const line, top, plot = 22, 48, 360
	left, longest := 40, limit
	for _, b := range bars {
		left = max(left, 16+7*len([]rune(b.label)))
		longest = max(longest, b.length, b.high)
	}
	if longest == 0 {
		longest = 1
	}
	width, height := left+plot+120, top+line*len(bars)+16
	var s strings.Builder
	open(&s, width, height, title, caption)
	x := func(v float64) float64 { return float64(left) + v/longest*plot }
	for i, b := range bars {
		y := top + line*i
		fmt.Fprintf(&s, `<text x="%d" y="%d" text-anchor="end">%s</text>`, left-8, y+14, html.EscapeString(b.label))
		fmt.Fprintf(&s, `<rect class="%s" x="%d" y="%d" width="%.1f" height="16" rx="2"/>`, b.class, left, y+2, max(x(b.length)-float64(left), 1))
		fmt.Fprintf(&s, `<line class="whisker" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`, x(b.low), y+10, x(b.high), y+10)
		fmt.Fprintf(&s, `<text class="small" x="%.1f" y="%d">%s</text>`+"\n", x(beyond(b, limit))+6, y+14, html.EscapeString(b.value))
	}
	fmt.Fprintf(&s, `<line class="axis" x1="%d" y1="%d" x2="%d" y2="%d"/>`, left, top, left, height-14)
	if limit > 0 {
		fmt.Fprintf(&s, `<line class="limit" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`, x(limit), top-4, x(limit), height-12)
	}
	s.WriteString("</svg>\n")
	return s.String()
}

// beyond is where a bar's value is written: behind it, and not across the limit.
func beyond(b bar, limit float64) float64 {
	end := max(b.length, b.high)
	if end > limit*0.4 {
		end = max(end, limit)
	}
	return end
}

func open(s *strings.Builder, width, height int, title, caption string) {
	fmt.Fprintf(s, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(s, "<title>%s</title>\n%s", html.EscapeString(title), style)
	fmt.Fprintf(s, `<text class="title" x="12" y="20">%s</text><text class="small" x="12" y="37">%s</text>`+"\n",
		html.EscapeString(title), html.EscapeString(caption))
}

// curves draws a line for each library over the metrics in their order, logarithmic
// upwards: for tables of sizes.
func (t *Table) curves() string {
	const left, top, plot, height = 60, 56, 520, 260
	metrics, caption := t.drawn()
	low, high := math.Inf(1), math.Inf(-1)
	for _, l := range t.Lines {
		for _, m := range metrics {
			if v := l.Values[m.Key].Median; v > 0 {
				low, high = min(low, math.Log10(v)), max(high, math.Log10(v))
			}
		}
	}
	if !(high > low) {
		high = low + 1
	}
	var s strings.Builder
	open(&s, left+plot+150, top+height+40, t.Title, caption+", logarithmic; less is better")
	x := func(i int) float64 { return left + float64(i)*plot/float64(max(len(metrics)-1, 1)) }
	y := func(v float64) float64 { return top + height - (math.Log10(v)-low)/(high-low)*height }
	fmt.Fprintf(&s, `<path class="axis" fill="none" d="M%d %dV%dH%d"/>`, left, top, top+height, left+plot)
	fmt.Fprintf(&s, `<text class="small" x="%d" y="%d" text-anchor="end">%s</text>`, left-6, top+8, Number(math.Pow(10, high)))
	fmt.Fprintf(&s, `<text class="small" x="%d" y="%d" text-anchor="end">%s</text>`+"\n", left-6, top+height, Number(math.Pow(10, low)))
	for i, m := range metrics {
		if i%max(1, len(metrics)/7) == 0 {
			fmt.Fprintf(&s, `<text class="small" x="%.0f" y="%d" text-anchor="middle">%s</text>`, x(i), top+height+18, html.EscapeString(label(m)))
		}
	}
	for k, l := range t.Lines {
		var path strings.Builder
		last := 0.0
		for i, m := range metrics {
			v := l.Values[m.Key].Median
			if v <= 0 {
				continue
			}
			cmd := "L"
			if path.Len() == 0 {
				cmd = "M"
			}
			last = y(v)
			fmt.Fprintf(&path, "%s%.1f %.1f", cmd, x(i), last)
		}
		colour := fmt.Sprintf("hsl(%d 60%% 52%%)", 210+k*67)
		fmt.Fprintf(&s, `<path fill="none" stroke="%s" stroke-width="2" d="%s"/>`, colour, path.String())
		fmt.Fprintf(&s, `<text x="%d" y="%.1f" style="fill:%s">%s</text>`+"\n", left+plot+8, top+14+18*float64(k), colour, html.EscapeString(l.Name))
	}
	s.WriteString("</svg>\n")
	return s.String()
}

// drawn are the metrics of the first kind: what stands before a number in a name like
// "CPU per message, 10 connections" is the kind, if there is one.
func (t *Table) drawn() (metrics []Metric, caption string) {
	kind, _, several := strings.Cut(t.Metrics[0].Name, ", ")
	caption = t.Metrics[0].Unit
	if several && strings.HasPrefix(t.Metrics[len(t.Metrics)-1].Name, kind) {
		several = false // it is the same all over
	}
	if several {
		caption = kind + ", " + caption
	}
	for _, m := range t.Metrics {
		if m.Unit == t.Metrics[0].Unit && (!several || strings.HasPrefix(m.Name, kind+", ")) {
			metrics = append(metrics, m)
		}
	}
	return metrics, caption
}

// label is what stands below the axis.
func label(m Metric) string {
	if _, after, ok := strings.Cut(m.Name, "message, "); ok {
		return after
	}
	return m.Name
}
