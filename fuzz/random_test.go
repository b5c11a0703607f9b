package fuzz

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
)

var (
	conversationCount = flag.Int("conversations", 100, "how many random conversations to have")
	conversationSeed  = flag.Uint64("seed", 0, "the first one's seed; 0: a random one")
)

// TestRandomConversations has conversations of random bytes, which gets more of them done than
// FuzzConversation: what they cover depends on the scheduler, which wastes the fuzzer's time.
// One that fails is named by its seed: repeat it with -seed.
func TestRandomConversations(t *testing.T) {
	first := *conversationSeed
	if first == 0 {
		first = rand.Uint64N(1e9)
	}
	for n := range uint64(*conversationCount) {
		t.Run(fmt.Sprint(first+n), func(t *testing.T) {
			in := randomConversation(first + n)
			defer func() { // synctest.Test does not return if it has failed
				if t.Failed() {
					t.Logf("%+v", plot(in))
				}
			}()
			talk(t, in)
		})
	}
}

func randomConversation(seed uint64) []byte {
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], seed)
	random := rand.NewChaCha8(key)
	in := make([]byte, 60+random.Uint64()%250)
	_, _ = random.Read(in)
	return in
}
