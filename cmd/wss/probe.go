package main

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// probeOptions are the flags of probe.
type probeOptions struct {
	dial  *dialFlags
	json  bool
	pings int
	ech   string
}

func probeCommand() *command {
	return &command{
		name: "probe", arguments: "URL [FLAGS]", summary: "show what a server does: TLS, certificate, protocols, times; with warnings",
		examples: `wss probe wss://localhost:8443/
wss probe -json wss://example.com/feed | jq .warnings
wss probe -subprotocol chat.v2 -origin https://example.com wss://example.com/chat`,
		details: `It opens a connection with the URL, with an offer of compression, sends pings and closes; it sends no message. A second
connection asks for HTTP/2, to see whether WebSockets over HTTP/2 (RFC 8441) are offered, and a third one opens one; both are left out if there is a
proxy.

The exit status is 1 if there is no connection or the certificate is not trusted; warnings do not change it.`,
		declare: declareProbe,
	}
}

func declareProbe(flags *flag.FlagSet) action {
	o := &probeOptions{dial: declareDialFlags(flags)}
	flags.BoolVar(&o.json, "json", false, "print JSON")
	flags.IntVar(&o.pings, "pings", 5, "`number` of pings, at most 100")
	flags.StringVar(&o.ech, "ech", "", "offer Encrypted Client Hello with this configuration `list`, in base64 as in the host's DNS record of type HTTPS")
	return o.run
}

// probeReport is what probe finds. Its JSON is part of the command's interface: fields are added, and not renamed.
type probeReport struct {
	URL       string           `json:"url"`
	Error     string           `json:"error,omitempty"` // why there is no connection
	TLS       *tlsReport       `json:"tls,omitempty"`
	HTTP2     *http2Report     `json:"http2,omitempty"`
	WebSocket *webSocketReport `json:"websocket,omitempty"`
	Times     timesReport      `json:"times_ms"`
	Warnings  []string         `json:"warnings"`
}

// webSocketReport is what the opening handshake has agreed on.
type webSocketReport struct {
	Status      int    `json:"status"` // of the response: 101 if there is a connection
	Server      string `json:"server,omitempty"`
	Subprotocol string `json:"subprotocol"`
	Extensions  string `json:"extensions"`
	CloseCode   int    `json:"close_code,omitempty"`
}

func (o *probeOptions) run(ctx context.Context, c *console, args []string) error {
	url, err := oneURL(args)
	if err != nil {
		return err
	}
	if o.pings < 0 || o.pings > 100 {
		return usagef("-pings is at most 100")
	}
	o.dial.compress = true
	dial, err := o.dial.options(c, url)
	if err != nil {
		return err
	}
	if o.ech != "" {
		if dial.TLS.EncryptedClientHelloConfigList, err = base64.StdEncoding.DecodeString(o.ech); err != nil {
			return usagef("-ech is not base64: %v", err)
		}
		dial.TLS.MinVersion = tls.VersionTLS13 // crypto/tls wants it
	}
	p := &probe{options: o, url: url, dial: dial}
	report := p.run(ctx)
	if o.json {
		encoder := json.NewEncoder(c.out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(report); err != nil {
			return err
		}
	} else {
		report.write(c.out)
	}
	if report.Error != "" {
		return errReported
	}
	return nil
}

// probe is one run.
type probe struct {
	options *probeOptions
	url     string
	dial    *conn.DialOptions
	state   *tls.ConnectionState // of the TLS handshake, also of one that failed for the certificate
	trust   error                // why the certificate is not trusted
}

// run opens the connections, one after the other.
func (p *probe) run(ctx context.Context) *probeReport {
	report := &probeReport{Warnings: []string{}, URL: p.url}
	u, err := parseURL(p.url)
	if err != nil {
		report.Error = err.Error()
		return report
	}
	report.URL = u.Redacted()
	p.observeTLS(u.Hostname())
	var clock clock
	connection, response, err := conn.Dial(clock.trace(ctx), p.url, p.dial)
	if state := clock.state; state != nil { // the handshake is complete: in TLS 1.2 the certificate comes before the key exchange
		p.state = state
	}
	if p.state != nil {
		report.TLS = describeTLS(p.state, p.trust, time.Now())
		report.TLS.ECHOffered = p.options.ech != ""
	}
	report.Times = clock.times()
	report.WebSocket = describeResponse(response)
	if err != nil {
		report.Error = explainRefusal(err, response).Error()
	} else {
		p.talk(ctx, connection, report)
	}
	if p.state != nil && (p.trust == nil || p.options.dial.insecure) {
		report.HTTP2 = p.probeHTTP2(ctx)
	}
	report.Warnings = append(report.Warnings, warnings(report)...)
	return report
}

// observeTLS has the handshake's result kept, also when the certificate is not trusted: then the handshake fails, so that nothing,
// credentials included, is sent to that server.
func (p *probe) observeTLS(host string) {
	config := p.dial.TLS
	if config.ServerName == "" {
		config.ServerName = host
	}
	check, insecure := config.VerifyConnection, config.InsecureSkipVerify
	config.InsecureSkipVerify = true // verified below
	config.VerifyConnection = func(state tls.ConnectionState) error {
		chains, err := verifyChain(&state, config.RootCAs, config.ServerName)
		state.VerifiedChains = chains
		if err == nil && check != nil {
			err = check(state)
		}
		p.state, p.trust = &state, err
		if insecure {
			return nil
		}
		return err
	}
}

// talk sends pings, and closes.
func (p *probe) talk(ctx context.Context, connection *conn.Conn, report *probeReport) {
	done := make(chan struct{})
	go func() { // messages of a feed are read and dropped
		defer close(done)
		for _, err := range connection.Messages(context.Background()) {
			if err != nil {
				return
			}
		}
	}()
	for range p.options.pings {
		limited, cancel := context.WithTimeout(ctx, p.options.dial.timeout)
		roundTrip, err := connection.Ping(limited)
		cancel()
		if err != nil {
			report.Warnings = append(report.Warnings, "a ping was not answered: "+err.Error())
			break
		}
		report.Times.Pings = append(report.Times.Pings, milliseconds(roundTrip))
	}
	_ = connection.Close(conn.StatusNormalClosure, "")
	<-done
	var closed *conn.CloseError
	if errors.As(context.Cause(connection.Context()), &closed) {
		report.WebSocket.CloseCode = int(closed.Code)
	}
}

func describeResponse(response *http.Response) *webSocketReport {
	if response == nil {
		return nil
	}
	h := response.Header
	return &webSocketReport{
		Status: response.StatusCode, Server: h.Get("Server"), Subprotocol: h.Get("Sec-WebSocket-Protocol"),
		Extensions: h.Get("Sec-WebSocket-Extensions"),
	}
}
