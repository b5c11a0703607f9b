package pubsub_test

import (
	"encoding/json"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/conntest"
	"github.com/seed-c4549abd/wss/pubsub"
)

// FuzzRequest: whatever a client sends is answered by one JSON object with a type, or closes the connection with 1008; and
// topics and subscriptions are gone when it is.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		`{"type":"subscribe","id":1,"topic":"a","since":{"epoch":"","offset":0},"slow":"newest"}`,
		`{"type":"publish","id":"x","topic":"a","data":{"b":[1,2]},"key":"k","echo":false}`,
		`{"type":"history","id":2,"topic":"a","limit":-1}`, `{"type":"presence","id":3,"topic":"a"}`, `{"type":"unsubscribe","id":4,"topic":"a"}`,
		`{"type":5}`, `[]`, `null`, `"`, `{"type":"subscribe","id":{},"topic":"\u0000"}`, "{\"topic\":\"\xed\xa0\x80\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		h := pubsub.New(&pubsub.Options{Authorize: pubsub.Anyone, Topic: func(string) pubsub.TopicOptions { return pubsub.TopicOptions{History: 2} }})
		c := conntest.Pipe(t, h.Handler(nil), &conntest.Options{NoTranscript: true})
		if err := c.Write(bg, conn.Text, request); err != nil {
			return // it is not UTF-8
		}
		// The answer to this one comes behind all others.
		_ = c.Write(bg, conn.Text, []byte(`{"type":"presence","id":"end of the test","topic":"a"}`))
		for n := 0; ; n++ {
			_, p, err := c.Read(bg)
			if err != nil {
				if conn.CloseStatus(err) != conn.StatusPolicyViolation {
					t.Fatalf("%q: %v", request, err)
				}
				return
			}
			var answer struct {
				Type string
				ID   json.RawMessage
			}
			if err := json.Unmarshal(p, &answer); err != nil || answer.Type == "" || n > 2 {
				t.Fatalf("%q is answered by %s", request, p)
			}
			if string(answer.ID) == `"end of the test"` {
				return
			}
		}
	})
}
