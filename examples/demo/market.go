package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/seed-c4549abd/wss/pubsub"
)

// symbols are the names of the market's goods.
var symbols = []string{
	"ALDER", "ASPEN", "BEECH", "BIRCH", "CEDAR", "CHERRY", "CYPRESS", "EBONY", "ELDER", "ELM", "FIR", "GINKGO", "HAZEL", "HOLLY", "IVY", "JUNIPER",
	"LARCH", "LAUREL", "LINDEN", "MAPLE", "MYRTLE", "OAK", "OLIVE", "PALM", "PEAR", "PINE", "PLANE", "POPLAR", "ROWAN", "SPRUCE", "TEAK", "WALNUT", "WILLOW", "YEW",
}

// ticksPerSecond is how many prices are published a second, of all symbols together.
const ticksPerSecond = 2000

// tick is a price of a symbol.
type tick struct {
	Symbol string  `json:"symbol"`
	Price  float64 `json:"price"`
	Number int     `json:"number"` // of this symbol's ticks
	At     int64   `json:"at"`     // milliseconds since 1970, for the page to show its age
}

// trade publishes prices while the hub has subscriptions, until the context ends.
func trade(ctx context.Context, hub *pubsub.Hub) {
	const step = 20 * time.Millisecond
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	numbers := make([]int, len(symbols))
	for next := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if hub.Stats().Subscriptions == 0 {
			continue
		}
		for range ticksPerSecond * int(step) / int(time.Second) {
			i := next % len(symbols)
			next++
			numbers[i]++
			publishTick(ctx, hub, tick{Symbol: symbols[i], Price: price(i, time.Now()), Number: numbers[i], At: time.Now().UnixMilli()})
		}
	}
}

// publishTick publishes a price under its symbol's key, so that slow pages get the newest one of each symbol.
func publishTick(ctx context.Context, hub *pubsub.Hub, t tick) {
	data, err := json.Marshal(t)
	if err == nil {
		_, err = hub.Publish(ctx, marketTopic, data, pubsub.Key(t.Symbol))
	}
	if err != nil && ctx.Err() == nil {
		panic(fmt.Sprintf("a tick: %v", err)) // it is JSON, and the topic's name is valid
	}
}

// price returns the price of a symbol at a time, the same on every node.
func price(symbol int, at time.Time) float64 {
	seconds := float64(at.UnixMilli()) / 1000
	p := 20 + 7*float64(symbol)
	for wave := range 4 {
		p *= 1 + 0.03*math.Sin(seconds/math.Pow(5, float64(wave))+float64(symbol*(wave+1)))
	}
	return math.Round(p*100) / 100
}
