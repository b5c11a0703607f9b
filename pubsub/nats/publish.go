package nats

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-c4549abd/wss/pubsub"
)

// Headers of a message.
const (
	keyHeader    = "Topics-Key"
	originHeader = "Topics-Origin"
)

// errOutcomeUnknown is a pubsub.ErrUnavailable for a message that may have been stored.
var errOutcomeUnknown = &pubsub.Error{
	Code:    pubsub.CodeUnavailable,
	Message: "the servers did not answer in time; it is not known whether the message was published",
}

// Publish implements pubsub.Engine. It retries until the context ends, for a minute and a half at most; a message that is sent again
// is stored once. When the servers have been out of reach for ten seconds it fails at once. The error is ErrClosed, a *pubsub.Error that
// says what is wrong with the message, or pubsub.ErrUnavailable, whose message says if the outcome is unknown.
func (e *Engine) Publish(ctx context.Context, topic string, o pubsub.TopicOptions, m pubsub.Message) (pubsub.Position, error) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	if err := e.wait(ctx, func() bool { return e.epoch != "" || e.givenUpLocked() }); err != nil {
		return pubsub.Position{}, unavailable(err)
	}
	if e.givenUp() {
		return pubsub.Position{}, unavailable(e.Status().Err)
	}
	msg := e.encode(topic, m)
	options := []jetstream.PublishOpt{jetstream.WithMsgID(rand.Text()), jetstream.WithRetryAttempts(0), jetstream.WithExpectStream(e.streamName())}
	if ttl := e.retention(o); ttl > 0 {
		options = append(options, jetstream.WithMsgTTL(ttl))
	}
	for sent := false; ; {
		ack, err := e.publishOnce(ctx, msg, options)
		if err == nil {
			return pubsub.Position{Epoch: e.knownEpoch(), Offset: ack.Sequence}, nil
		}
		if refusal := refusalOf(err); refusal != nil {
			return pubsub.Position{}, refusal
		}
		// Without responders the message was not stored. After any other error it may have been.
		sent = sent || !errors.Is(err, natsgo.ErrNoResponders) && !errors.Is(err, jetstream.ErrNoStreamResponse)
		select {
		case <-time.After(retryPublish):
		case <-e.ctx.Done():
			return pubsub.Position{}, ErrClosed
		case <-ctx.Done():
			if sent {
				return pubsub.Position{}, errOutcomeUnknown
			}
			return pubsub.Position{}, unavailable(context.Cause(ctx))
		}
	}
}

// encode returns the NATS message that stores m; messageOf undoes it.
func (e *Engine) encode(topic string, m pubsub.Message) *natsgo.Msg {
	msg := natsgo.NewMsg(e.storedSubject(topic))
	msg.Data = m.Data
	if m.Key != "" {
		msg.Header.Set(keyHeader, escape(m.Key))
	}
	if m.Origin != "" {
		msg.Header.Set(originHeader, escape(m.Origin))
	}
	return msg
}

// publishOnce sends a message, and waits requestTimeout for the answer.
func (e *Engine) publishOnce(ctx context.Context, msg *natsgo.Msg, options []jetstream.PublishOpt) (*jetstream.PubAck, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	_, js := e.connection()
	return js.PublishMsg(ctx, msg, options...)
}

// retention returns how long the stream stores a message of a topic; 0: until MaxHistory newer ones are stored.
func (e *Engine) retention(o pubsub.TopicOptions) time.Duration {
	stored := e.options.MaxAge
	switch {
	case o.History <= 0:
		stored = minRetention
	case o.HistoryAge > 0:
		stored = max(o.HistoryAge, minRetention)
	}
	if limit := e.options.MaxAge; limit > 0 {
		stored = min(stored, limit)
	}
	return stored
}

// refusalOf returns the error for a message that no retry would get stored; nil if one might.
func refusalOf(err error) error {
	if errors.Is(err, natsgo.ErrMaxPayload) {
		return &pubsub.Error{Code: pubsub.CodeBadData, Message: "the message is longer than the servers carry"}
	}
	api, ok := errors.AsType[*jetstream.APIError](err)
	if !ok {
		return nil
	}
	switch api.ErrorCode {
	case 10077: // maximum bytes exceeded
		return &pubsub.Error{Code: pubsub.CodeTooMany, Message: "the topics take as many bytes as they may"}
	case 10054: // message size exceeds maximum allowed
		return &pubsub.Error{Code: pubsub.CodeBadData, Message: "the message is longer than the servers carry"}
	}
	return nil
}

// unavailable joins pubsub.ErrUnavailable, which clients see, with its cause, which only the server sees.
func unavailable(cause error) error { return errors.Join(pubsub.ErrUnavailable, cause) }
