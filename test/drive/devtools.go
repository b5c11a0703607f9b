package drive

import (
	"context"
	"encoding/json"
	"fmt"
)

// useDevTools has a browser driven by Chromium's DevTools protocol.
func useDevTools(_ context.Context, b *Browser) error {
	b.open = func(ctx context.Context, url string) (*Tab, error) {
		var user struct{ BrowserContextID string }
		if err := b.link.call(ctx, "", "Target.createBrowserContext", map[string]any{}, &user); err != nil {
			return nil, err
		}
		var target struct{ TargetID string }
		if err := b.link.call(ctx, "", "Target.createTarget", map[string]any{"url": "about:blank", "browserContextId": user.BrowserContextID}, &target); err != nil {
			return nil, err
		}
		var attached struct{ SessionID string }
		if err := b.link.call(ctx, "", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached); err != nil {
			return nil, err
		}
		d := devTools{b.link, target.TargetID, attached.SessionID}
		if err := d.call(ctx, "Security.setIgnoreCertificateErrors", map[string]any{"ignore": true}, nil); err != nil {
			return nil, err
		}
		t := &Tab{eval: d.eval, screenshot: d.screenshot, resize: d.resize, dark: d.dark, close: d.close}
		if err := d.call(ctx, "Page.navigate", map[string]any{"url": url}, nil); err != nil {
			return nil, err
		}
		return t, t.Await(ctx, `document.readyState === "complete" && location.href !== "about:blank"`)
	}
	return nil
}

// devTools drives one tab, in a session.
type devTools struct {
	link            *link
	target, session string
}

func (d devTools) call(ctx context.Context, method string, params, v any) error {
	return d.link.call(ctx, d.session, method, params, v)
}

func (d devTools) eval(ctx context.Context, expression string) (json.RawMessage, error) {
	var r struct {
		Result struct{ Value json.RawMessage }
		Fault  *struct {
			Text      string
			Exception struct{ Description string }
		} `json:"exceptionDetails"`
	}
	err := d.call(ctx, "Runtime.evaluate", map[string]any{
		"expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true,
	}, &r)
	if err == nil && r.Fault != nil {
		err = fmt.Errorf("%s %s", r.Fault.Text, r.Fault.Exception.Description)
	}
	return r.Result.Value, err
}

func (d devTools) screenshot(ctx context.Context) ([]byte, error) {
	var r struct{ Data []byte }
	err := d.call(ctx, "Page.captureScreenshot", map[string]any{"format": "png"}, &r)
	return r.Data, err
}

func (d devTools) resize(ctx context.Context, width, height int) error {
	return d.call(ctx, "Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
}

func (d devTools) dark(ctx context.Context, on bool) error {
	scheme := map[bool]string{false: "light", true: "dark"}[on]
	return d.call(ctx, "Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

func (d devTools) close(ctx context.Context) error {
	return d.link.call(ctx, "", "Target.closeTarget", map[string]any{"targetId": d.target}, nil)
}
