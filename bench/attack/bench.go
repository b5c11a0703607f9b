package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
)

// names are the libraries, ours first.
var names = []string{"wss", "gorilla", "coder"}

// most is the highest ratio to the better peer that is not marked.
const most = 1.5

// limit is the most bytes of a message that the servers accept.
const limit = 1 << 20

// row is one attack.
type row struct {
	key, name, unit string
	plain, deflate  bool
	// absent says why a library does not take part.
	absent map[string]string
	once   bool // memory: a server for each round, as it is counted from nothing
	attack func(a *arena) (figure, error)
}

// figure is what an attack cost; ended says after how many of the attacker's bytes the server put an end to it, where it may
// be without one.
type figure struct {
	cost  float64
	ended int64
	sent  int64
}

// result is a row with what was measured.
type result struct {
	row
	medians map[string]figure
	failed  map[string]error
}

type bench struct {
	scale  float64
	rounds int
	// settle is how long a server has to read what it was sent, and to let go of what it does not keep.
	settle    time.Duration
	cert, key []byte
	log       io.Writer
}

// arena is a server under attack.
type arena struct {
	*bench
	row    *row
	server *child.Process
}

// count scales a number for -quick.
func (b *bench) count(n int) int { return max(int(float64(n)*b.scale), 2) }

// measure has each library attacked in turn, round by round.
func (b *bench) measure(r row) result {
	began := time.Now()
	out := result{row: r, medians: map[string]figure{}, failed: map[string]error{}}
	figures := map[string][]figure{}
	arenas := map[string]*arena{}
	defer func() {
		for _, a := range arenas {
			_ = a.server.Close()
		}
	}()
	rounds := b.rounds
	if r.once {
		rounds = 1
	}
	for range rounds {
		for _, name := range names {
			if r.absent[name] != "" || out.failed[name] != nil {
				continue
			}
			f, err := b.round(&r, name, arenas)
			if err != nil {
				out.failed[name] = err
				fmt.Fprintf(b.log, "%s, %s: %v\n", r.name, name, err)
				continue
			}
			figures[name] = append(figures[name], f)
		}
	}
	for name, all := range figures {
		slices.SortFunc(all, func(a, b figure) int { return cmp.Compare(a.cost, b.cost) })
		out.medians[name] = all[len(all)/2]
	}
	fmt.Fprintf(b.log, "%5.1f s  %s\n", time.Since(began).Seconds(), r.name)
	return out
}

func (b *bench) round(r *row, name string, arenas map[string]*arena) (figure, error) {
	a := arenas[name]
	if a == nil {
		p, err := child.Start(child.Setup{
			Lib: name, TLS: !r.plain, Cert: b.cert, Key: b.key, Message: 1024, Many: true, Deflate: r.deflate, Limit: limit,
		})
		if err != nil {
			return figure{}, err
		}
		a = &arena{bench: b, row: r, server: p}
		arenas[name] = a
	}
	return r.attack(a)
}

// cpu returns the nanoseconds of the server's processor time for each unit that f reports.
func (a *arena) cpu(f func() (units int64, err error)) (float64, int64, error) {
	before, err := a.server.Do(child.Request{Op: child.OpBegin})
	if err != nil {
		return 0, 0, err
	}
	units, err := f()
	if err != nil {
		return 0, 0, err
	}
	after, err := a.server.Do(child.Request{Op: child.OpEnd})
	if err != nil {
		return 0, 0, err
	}
	return float64(after.CPU-before.CPU) / float64(max(units, 1)), units, nil
}

// kept returns the bytes of memory that the server keeps for each of n connections, which open brings to where they stay.
func (a *arena) kept(n int, open func() (*peer, error)) (f figure, err error) {
	// One connection before, so that what is made once is there.
	if p, err := open(); err == nil {
		p.close()
	}
	time.Sleep(a.settle)
	empty, err := a.server.Do(child.Request{Op: child.OpMemory})
	if err != nil {
		return f, err
	}
	var all []*peer
	defer func() {
		for _, p := range all {
			p.close()
		}
	}()
	for range n {
		p, err := open()
		if err != nil {
			return f, err
		}
		all = append(all, p)
		f.sent += p.wire.out
	}
	f.sent /= int64(n)
	time.Sleep(a.settle)
	full, err := a.server.Do(child.Request{Op: child.OpMemory})
	if err != nil {
		return f, err
	}
	f.cost = (float64(full.HeapInuse+full.StackInuse) - float64(empty.HeapInuse+empty.StackInuse)) / float64(n)
	return f, nil
}

// write writes the table.
func write(w io.Writer, results []result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "attack\tunit\t%s\tratio\t\t\n", strings.Join(names, "\t"))
	var notes []string
	above := 0
	for _, r := range results {
		fmt.Fprintf(t, "%s\t%s\t", r.name, r.unit)
		best := 0.0
		for _, name := range names {
			f, ok := r.medians[name]
			switch {
			case ok:
				fmt.Fprintf(t, "%s\t", short(f.cost))
				if name != names[0] && (best == 0 || f.cost < best) {
					best = f.cost
				}
				if f.ended > 0 {
					notes = append(notes, fmt.Sprintf("%s: %s ends it after %s.", r.name, name, size(f.ended)))
				} else if f.ended < 0 {
					notes = append(notes, fmt.Sprintf("%s: %s takes all %s.", r.name, name, size(-f.ended)))
				}
			case r.failed[name] != nil:
				fmt.Fprint(t, "failed\t")
				notes = append(notes, fmt.Sprintf("%s: %s failed: %v.", r.name, name, r.failed[name]))
			default:
				fmt.Fprint(t, "–\t")
				notes = append(notes, fmt.Sprintf("%s: without %s: %s.", r.name, name, r.absent[name]))
			}
		}
		ours, ok := r.medians[names[0]]
		if !ok || best <= 0 {
			fmt.Fprint(t, "–\t\t\n")
			continue
		}
		ratio, mark := ours.cost/best, ""
		if ratio > most {
			mark = "above"
			above++
		}
		fmt.Fprintf(t, "%.2f\t%s\t\n", ratio, mark)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintln(w, n)
	}
	_, err := fmt.Fprintf(w, "%d of %d rows are above %.1f of the better peer.\n", above, len(results), most)
	return err
}

func short(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func size(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
}
