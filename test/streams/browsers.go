package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/seed-c4549abd/wss/test/browsers"
	"github.com/seed-c4549abd/wss/test/drive"
)

//go:embed peers/page.html
var page []byte

// browser is a page in one, and our server.
type browser struct {
	name    string
	program *drive.Browser
	backend *backend
	tab     *drive.Tab
}

// inBrowsers runs the checks of a page in Chromium and in Firefox.
func inBrowsers(ctx context.Context, o *options) error {
	if err := browsers.Install(ctx, o.log); err != nil {
		return err
	}
	for _, name := range []string{"chromium", "firefox"} {
		if err := inBrowser(ctx, o, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func inBrowser(ctx context.Context, o *options, name string) error {
	found, err := browsers.Find(name)
	if err != nil {
		return err
	}
	version, err := found.Version(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.stdout, "# %s\n", version)
	b := &browser{name: name}
	if b.backend, err = startBackend(page); err != nil {
		return err
	}
	defer b.backend.close()
	if b.program, err = drive.Start(ctx, name); err != nil {
		return err
	}
	defer b.program.Close()
	if b.tab, err = b.program.Open(ctx, "https://"+b.backend.addr+"/"); err != nil {
		return err
	}
	o.check(ctx, name, "has page and WebSockets on one TCP connection, by HTTP/2", b.shares)
	o.check(ctx, name, "gets text and binary of 0 bytes to 1 MiB back, with a subprotocol", b.echo)
	o.check(ctx, name, "closes with 4001 and a reason", b.closes)
	o.check(ctx, name, "is closed by us with 4002 and a reason", b.closed)
	o.check(ctx, name, "sees 1006 when our side breaks a stream off, and another WebSocket goes on", b.reset)
	o.check(ctx, name, "sees an error for a refusal, and another WebSocket goes on", b.refused)
	o.check(ctx, name, "ends the WebSockets of a tab that is closed", b.leaves)
	return nil
}

// way is what a request or a WebSocket came by.
type way struct{ Version, Address string }

func (b *browser) shares(ctx context.Context) error {
	var page, first, second way
	err := b.tab.Eval(ctx, `fetch("/address").then((r) => r.json())`, &page)
	if err == nil {
		err = b.tab.Eval(ctx, `open("/echo?id=first").then((ws) => ask(ws, "address"))`, &first)
	}
	if err == nil {
		err = b.tab.Eval(ctx, `open("/echo?id=second").then((ws) => ask(ws, "address"))`, &second)
	}
	if err != nil {
		return err
	}
	if page.Version != "HTTP/2.0" || first.Version != "HTTP/2" || second.Version != "HTTP/2" || first.Address != page.Address || second.Address != page.Address {
		return fmt.Errorf("the page came by %v, WebSockets by %v and %v", page, first, second)
	}
	return nil
}

func (b *browser) echo(ctx context.Context) error {
	list, err := json.Marshal(sizes)
	if err != nil {
		return err
	}
	var subprotocol string
	if err := b.tab.Eval(ctx, `open("/echo?id=echo").then((ws) => echo(ws, `+string(list)+`))`, &subprotocol); err != nil {
		return err
	}
	if subprotocol != "echo" {
		return fmt.Errorf("the subprotocol is %q", subprotocol)
	}
	return nil
}

// seen is how a page sees the end of a WebSocket.
type seen struct {
	Code   int
	Reason string
	Clean  bool
}

func (b *browser) closes(ctx context.Context) error {
	var page seen
	if err := b.tab.Eval(ctx, `open("/echo?id=closes").then((ws) => (ws.close(4001, "bye"), end(ws)))`, &page); err != nil {
		return err
	}
	e, err := b.backend.await(ctx, "closes")
	if err != nil {
		return err
	}
	if page != (seen{Code: 4001, Clean: true}) || e.Code != 4001 || e.Reason != "bye" || !e.Remote {
		return fmt.Errorf("the page saw %+v, the server %+v", page, e)
	}
	return nil
}

func (b *browser) closed(ctx context.Context) error {
	var page seen
	if err := b.tab.Eval(ctx, `open("/echo?id=closed").then((ws) => (ws.send("close 4002 enough"), end(ws)))`, &page); err != nil {
		return err
	}
	if page != (seen{4002, "enough", true}) {
		return fmt.Errorf("the page saw %+v", page)
	}
	return nil
}

func (b *browser) reset(ctx context.Context) error {
	var page seen
	if err := b.tab.Eval(ctx, `open("/echo?id=stays").then((ws) => { window.stays = ws; })`, nil); err != nil {
		return err
	}
	if err := b.tab.Eval(ctx, `open("/echo?id=reset").then((ws) => (ws.send("reset"), end(ws)))`, &page); err != nil {
		return err
	}
	if page != (seen{Code: 1006}) {
		return fmt.Errorf("the page saw %+v", page)
	}
	return b.tab.Eval(ctx, `echo(window.stays, [10])`, nil)
}

func (b *browser) refused(ctx context.Context) error {
	var before, after way
	var outcome string
	err := b.tab.Eval(ctx, `open("/echo?id=other").then((ws) => { window.other = ws; return ask(ws, "address"); })`, &before)
	if err == nil {
		err = b.tab.Eval(ctx, `open("/refuse").then(() => "open", (e) => e.message)`, &outcome)
	}
	if err == nil {
		err = b.tab.Eval(ctx, `echo(window.other, [10, 70000])`, nil)
	}
	if err == nil {
		err = b.tab.Eval(ctx, `open("/echo?id=after").then((ws) => ask(ws, "address"))`, &after)
	}
	if err != nil {
		return err
	}
	// Firefox opens another connection for what follows a refusal, and keeps the first for what there is.
	if outcome != "error close 1006" || after.Version != before.Version || b.name != "firefox" && after != before {
		return fmt.Errorf("the page saw %q; a WebSocket before came by %v, one after by %v", outcome, before, after)
	}
	return nil
}

func (b *browser) leaves(ctx context.Context) error {
	if err := b.tab.Eval(ctx, `open("/echo?id=leaves").then((ws) => { window.leaves = ws; })`, nil); err != nil {
		return err
	}
	if err := b.tab.Close(ctx); err != nil {
		return err
	}
	e, err := b.backend.await(ctx, "leaves")
	if err == nil && e.Code != 1001 && e.Code != 1006 {
		err = fmt.Errorf("the server saw %+v", e)
	}
	return err
}
