package drive

import (
	"context"
	"encoding/json"
	"fmt"
)

// useBiDi has a browser driven by WebDriver BiDi, which Firefox speaks without a driver program.
func useBiDi(ctx context.Context, b *Browser) error {
	capabilities := map[string]any{"alwaysMatch": map[string]any{"acceptInsecureCerts": true}}
	if err := b.link.call(ctx, "", "session.new", map[string]any{"capabilities": capabilities}, nil); err != nil {
		return err
	}
	b.open = func(ctx context.Context, url string) (*Tab, error) {
		var user struct{ UserContext string }
		if err := b.link.call(ctx, "", "browser.createUserContext", map[string]any{}, &user); err != nil {
			return nil, err
		}
		var created struct{ Context string }
		// A window, since timers of a tab in the background are slowed down.
		if err := b.link.call(ctx, "", "browsingContext.create", map[string]any{"type": "window", "userContext": user.UserContext}, &created); err != nil {
			return nil, err
		}
		d := biDi{b.link, created.Context}
		if err := d.call(ctx, "browsingContext.navigate", map[string]any{"url": url, "wait": "complete"}, nil); err != nil {
			return nil, err
		}
		return &Tab{eval: d.eval, screenshot: d.screenshot, resize: d.resize, close: d.close}, nil
	}
	return nil
}

// biDi drives one window.
type biDi struct {
	link    *link
	context string
}

// call sends a command for the window.
func (d biDi) call(ctx context.Context, method string, params map[string]any, v any) error {
	params["context"] = d.context
	return d.link.call(ctx, "", method, params, v)
}

func (d biDi) eval(ctx context.Context, expression string) (json.RawMessage, error) {
	var r struct {
		Result struct {
			Type  string
			Value json.RawMessage
		}
		Fault *struct{ Text string } `json:"exceptionDetails"`
	}
	// As a string of JSON the value comes without the protocol's types around it.
	err := d.link.call(ctx, "", "script.evaluate", map[string]any{
		"expression": "(async () => JSON.stringify(await (" + expression + ")))()", "awaitPromise": true,
		"target": map[string]any{"context": d.context}, "userActivation": true,
	}, &r)
	if err != nil {
		return nil, err
	}
	if r.Fault != nil {
		return nil, fmt.Errorf("%s", r.Fault.Text)
	}
	if r.Result.Type != "string" {
		return nil, nil // undefined
	}
	var text string
	err = json.Unmarshal(r.Result.Value, &text)
	return json.RawMessage(text), err
}

func (d biDi) screenshot(ctx context.Context) ([]byte, error) {
	var r struct{ Data []byte }
	err := d.call(ctx, "browsingContext.captureScreenshot", map[string]any{}, &r)
	return r.Data, err
}

func (d biDi) resize(ctx context.Context, width, height int) error {
	return d.call(ctx, "browsingContext.setViewport", map[string]any{"viewport": map[string]any{"width": width, "height": height}}, nil)
}

func (d biDi) close(ctx context.Context) error {
	return d.call(ctx, "browsingContext.close", map[string]any{}, nil)
}
