package pubsub

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// Subprotocol is the subprotocol of the JSON protocol, which docs/pubsub.md describes.
const Subprotocol = "pubsub.v1"

// maxHistory is how many messages one answer about history has at most.
const maxHistory = 1000

// request is a message of a client.
type request struct {
	Type  string          `json:"type"`
	ID    json.RawMessage `json:"id"`
	Topic string          `json:"topic"`
	Since *Position       `json:"since"`
	Slow  string          `json:"slow"`
	Limit int             `json:"limit"`
	Key   string          `json:"key"`
	Data  json.RawMessage `json:"data"`
	Echo  *bool           `json:"echo"` // of publish: false means Except the sender
}

// reply answers a request.
type reply struct {
	Type      string          `json:"type"` // subscribed, unsubscribed, published, presence, history, pong, error
	ID        json.RawMessage `json:"id,omitempty"`
	Topic     string          `json:"topic,omitempty"`
	Epoch     string          `json:"epoch,omitempty"`
	Offset    *uint64         `json:"offset,omitempty"`
	Recovered *bool           `json:"recovered,omitempty"`
	Complete  *bool           `json:"complete,omitempty"`
	Members   []jsonMember    `json:"members,omitempty"`
	Messages  []jsonMessage   `json:"messages,omitempty"`
	Code      string          `json:"code,omitempty"`
	Message   string          `json:"message,omitempty"`
}

// jsonMessage is a published message as subscribers receive it.
type jsonMessage struct {
	Type   string          `json:"type,omitempty"` // message; empty in an answer about history
	Topic  string          `json:"topic,omitempty"`
	Offset uint64          `json:"offset"`
	Key    string          `json:"key,omitempty"`
	Time   int64           `json:"time"` // milliseconds since 1970
	Data   json.RawMessage `json:"data"`
}

// jsonMember is a member as other subscribers see it.
type jsonMember struct {
	ID   string          `json:"id"`
	Info json.RawMessage `json:"info,omitempty"`
}

// jsonPresence is the event of a member who joins or leaves.
type jsonPresence struct {
	Type   string     `json:"type"` // join, leave
	Topic  string     `json:"topic"`
	Member jsonMember `json:"member"`
}

// encodeJSON is the default of Options.Encode.
func encodeJSON(e Event) (conn.MessageType, []byte, error) {
	var v any
	switch e.Kind {
	case Published:
		m := toJSON(e.Message)
		m.Type, m.Topic = "message", e.Topic
		v = m
	case Joined:
		v = jsonPresence{"join", e.Topic, jsonMember{e.Member.ID, e.Member.Info}}
	case Left:
		v = jsonPresence{"leave", e.Topic, jsonMember{e.Member.ID, e.Member.Info}}
	case Missed:
		v = reply{Type: "subscribed", Topic: e.Topic, Epoch: e.Position.Epoch, Offset: &e.Position.Offset, Recovered: new(bool)}
	}
	data, err := marshal(v)
	if err != nil {
		return 0, nil, ErrBadData // only Message.Data and Member.Info can be invalid
	}
	return conn.Text, data, nil
}

func toJSON(m Message) jsonMessage {
	return jsonMessage{Offset: m.Offset, Key: m.Key, Time: m.Time.UnixMilli(), Data: m.Data}
}

// marshal is json.Marshal without HTML escaping.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Handler accepts clients that speak the JSON protocol. o may have any options but Subprotocols, SelectSubprotocol and Group, which
// the handler sets; nil: the defaults. A client that does not offer the subprotocol is served as well.
func (h *Hub) Handler(o *conn.AcceptOptions) http.Handler {
	var options conn.AcceptOptions
	if o != nil {
		options = *o
	}
	options.Subprotocols, options.SelectSubprotocol, options.Group = []string{Subprotocol}, nil, h.group
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, &options); err == nil {
			c.ServeInBackground(h.Serve(), nil)
		}
	})
}

// Serve returns the callback of one connection that speaks the JSON protocol, for Serve and ServeInBackground:
//
//	c.ServeInBackground(hub.Serve(), nil)
//
// A message that is binary or not a JSON object closes the connection with 1008 (policy violation).
func (h *Hub) Serve() func(*conn.Conn, conn.Message) error {
	limit := newRate(h.options.RequestRate)
	return func(c *conn.Conn, m conn.Message) error {
		var q request
		if m.Type != conn.Text {
			return &conn.CloseError{Code: conn.StatusPolicyViolation, Reason: "requests are JSON text"}
		}
		if !bytes.HasPrefix(bytes.TrimLeft(m.Data, " \t\r\n"), []byte("{")) {
			return &conn.CloseError{Code: conn.StatusPolicyViolation, Reason: "requests are JSON objects"}
		}
		if err := json.Unmarshal(m.Data, &q); err != nil {
			if typeError, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
				return h.answer(c, q, reply{}, &Error{CodeBadRequest, "the field " + quoted(typeError.Field) + " has the wrong type"})
			}
			return &conn.CloseError{Code: conn.StatusPolicyViolation, Reason: "requests are JSON objects"}
		}
		if !limit.take(time.Now()) {
			return h.answer(c, q, reply{}, &Error{CodeTooFast, "more requests a second than this connection may make; try again a moment later"})
		}
		r, err := h.handle(c, &q)
		switch {
		case err != nil:
			return h.answer(c, q, reply{}, err)
		case r == nil, r.Type == "published" && q.ID == nil:
			return nil // answered already, or a publish without id, which wants no answer
		}
		return h.answer(c, q, *r, nil)
	}
}

// answer sends the reply to a request, or the error.
func (h *Hub) answer(c *conn.Conn, q request, r reply, err error) error {
	if len(q.ID) > maxRequestID {
		q.ID = nil
	}
	r.ID, r.Topic = q.ID, q.Topic
	if err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			if c.Context().Err() != nil {
				return err
			}
			e = &Error{CodeInternal, "the server could not do it"}
			if errors.Is(err, context.DeadlineExceeded) {
				e = ErrUnavailable
			}
		}
		r = reply{Type: "error", ID: q.ID, Code: e.Code, Message: e.Message}
		if checkTopic(q.Topic) == nil {
			r.Topic = q.Topic
		}
	}
	return send(c, r)
}

// send queues a value as JSON.
func send(c *conn.Conn, v any) error {
	data, err := marshal(v)
	if err != nil {
		return err
	}
	p, err := conn.Prepare(conn.Text, data)
	if err != nil {
		return err
	}
	return c.Send(context.Background(), p)
}

// handle handles a request, and returns the reply; nil if it was sent already.
func (h *Hub) handle(c *conn.Conn, q *request) (*reply, error) {
	if err := q.checkID(); err != nil {
		q.ID = nil
		return nil, err
	}
	if q.Type == "ping" {
		return &reply{Type: "pong"}, nil
	}
	actions := map[string]Action{"subscribe": Subscribe, "publish": Publish, "presence": SeePresence, "history": SeeHistory, "unsubscribe": 0}
	action, known := actions[q.Type]
	if !known {
		return nil, &Error{CodeBadRequest, "there is no request of the type " + quoted(q.Type)}
	}
	if err := checkTopic(q.Topic); err != nil {
		return nil, err
	}
	if action != 0 {
		if err := h.authorize(c, action, q.Topic); err != nil {
			return nil, err
		}
	}
	switch action {
	case Subscribe:
		return nil, h.handleSubscribe(c, q)
	case Publish:
		return h.handlePublish(c, q)
	case SeePresence:
		ctx, cancel := context.WithTimeout(c.Context(), engineTimeout)
		defer cancel()
		members, err := h.Presence(ctx, q.Topic)
		return &reply{Type: "presence", Members: toMembers(members)}, err
	case SeeHistory:
		return h.handleHistory(c, q)
	}
	return &reply{Type: "unsubscribed"}, h.Unsubscribe(c, q.Topic)
}

// checkID returns an error for an id that is too long, or neither a number nor a string.
func (q *request) checkID() error {
	if len(q.ID) > maxRequestID {
		return &Error{CodeBadRequest, "an id is at most 255 bytes"}
	}
	var id any
	if len(q.ID) > 0 && json.Unmarshal(q.ID, &id) == nil {
		switch id.(type) {
		case string, float64:
		default:
			return &Error{CodeBadRequest, "an id is a number or a string"}
		}
	}
	return nil
}

// authorize calls Options.Authorize. Errors that are not an *Error are not for clients: they become ErrForbidden.
func (h *Hub) authorize(c *conn.Conn, a Action, topic string) error {
	return refusal(h.options.Authorize(c, a, topic))
}

// refusal returns what a client is told of an error of the options' functions.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return ErrForbidden
}

func (h *Hub) handleSubscribe(c *conn.Conn, q *request) error {
	slow, ok := map[string]Slow{"": CloseSlow, "close": CloseSlow, "drop": DropSlow, "newest": NewestSlow}[q.Slow]
	if !ok {
		return &Error{CodeBadRequest, "slow is close, drop or newest"}
	}
	_, err := h.subscribe(c, q.Topic, SubscribeOptions{Since: q.Since, Slow: slow}, func(s Subscribed) error {
		r := reply{Type: "subscribed", ID: q.ID, Topic: q.Topic, Epoch: s.Position.Epoch, Offset: &s.Position.Offset, Members: toMembers(s.Members)}
		if q.Since != nil {
			r.Recovered = &s.Recovered
		}
		return send(c, r)
	})
	return err
}

func (h *Hub) handlePublish(c *conn.Conn, q *request) (*reply, error) {
	if len(q.Data) == 0 {
		return nil, &Error{CodeBadRequest, "data is missing"}
	}
	m := Message{Topic: q.Topic, Key: q.Key, Data: bytes.Clone(q.Data)}
	if h.options.Publishing != nil {
		if err := refusal(h.options.Publishing(c, q.Topic, &m)); err != nil {
			return nil, err
		}
	}
	options := []PublishOption{Key(m.Key)}
	if q.Echo != nil && !*q.Echo {
		options = append(options, Except(c))
	}
	ctx, cancel := context.WithTimeout(c.Context(), engineTimeout)
	defer cancel()
	at, err := h.Publish(ctx, q.Topic, m.Data, options...)
	return &reply{Type: "published", Epoch: at.Epoch, Offset: &at.Offset}, err
}

func (h *Hub) handleHistory(c *conn.Conn, q *request) (*reply, error) {
	var since Position
	if q.Since != nil {
		since = *q.Since
	}
	limit := maxHistory
	if q.Limit > 0 {
		limit = min(limit, q.Limit)
	}
	ctx, cancel := context.WithTimeout(c.Context(), engineTimeout)
	defer cancel()
	messages, at, complete, err := h.History(ctx, q.Topic, since, limit)
	r := &reply{Type: "history", Epoch: at.Epoch, Offset: &at.Offset, Complete: &complete}
	left := h.options.MaxRecovery
	for i, m := range messages {
		if left -= messageSize(m); left < 0 && i > 0 {
			break
		}
		r.Messages = append(r.Messages, toJSON(m))
	}
	return r, err
}

func toMembers(members []Member) (all []jsonMember) {
	for _, m := range members {
		all = append(all, jsonMember{m.ID, m.Info})
	}
	return all
}

// quoted quotes a string of a client's for an error, cut short.
func quoted(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	b, _ := json.Marshal(s)
	return string(b)
}

// rate limits requests to a number a second, with twice as many at once after a pause.
type rate struct {
	perSecond, left float64 // perSecond 0: no limit
	at              time.Time
}

func newRate(perSecond int) *rate {
	r := &rate{perSecond: float64(max(perSecond, 0))}
	r.left = 2 * r.perSecond
	return r
}

// take reports whether one more request is allowed now. It is for one goroutine.
func (r *rate) take(now time.Time) bool {
	if r.perSecond == 0 {
		return true
	}
	if !r.at.IsZero() {
		r.left = min(2*r.perSecond, r.left+now.Sub(r.at).Seconds()*r.perSecond)
	}
	r.at = now
	if r.left < 1 {
		return false
	}
	r.left--
	return true
}
