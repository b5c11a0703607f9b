package pubsub

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestHistoryAgainstAList: random additions, questions and passing of time, against a plain list.
func TestHistoryAgainstAList(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		o := TopicOptions{History: r.IntN(20), HistoryAge: time.Duration(r.IntN(3)) * 10 * time.Second}
		h := newHistory(o)
		now := time.Unix(1_000_000, 0)
		var list []Message
		last := uint64(0)
		for range 200 {
			now = now.Add(time.Duration(r.IntN(3)) * time.Second)
			if r.IntN(3) > 0 {
				last++
				m := Message{Offset: last, Time: now}
				h.add(m)
				list = append(list, m)
			}
			h.expire(now)
			list = list[max(0, len(list)-max(o.History, 0)):]
			for o.HistoryAge > 0 && len(list) > 0 && now.Sub(list[0].Time) >= o.HistoryAge {
				list = list[1:]
			}
			since, limit := r.Uint64N(last+3), r.IntN(8)
			got, complete := h.since(since, limit)
			want := slices.DeleteFunc(slices.Clone(list), func(m Message) bool { return m.Offset <= since && since <= last })
			wantComplete := since <= last && uint64(len(want)) == last-since
			if limit > 0 {
				want = want[:min(limit, len(want))]
			}
			same := slices.EqualFunc(got, want, func(a, b Message) bool { return a.Offset == b.Offset })
			if !same || complete != wantComplete {
				t.Fatalf("seed %d, behind %d of %d, at most %d: %v, %v; want %v, %v", seed, since, last, limit, got, complete, want, wantComplete)
			}
		}
	}
}
