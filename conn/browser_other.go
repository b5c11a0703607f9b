//go:build !js

package conn

import (
	"context"
	"net/http"
)

// inBrowser says that connections are those of a browser: see browser_js.go.
const inBrowser = false

func errBrowserCannot(string) error { return nil }

func (o *DialOptions) dialInBrowser(context.Context, string) (*Conn, *http.Response, error) {
	return nil, nil, nil
}

func checkCloseInBrowser(StatusCode) error { return nil }
