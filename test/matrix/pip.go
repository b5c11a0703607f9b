package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-c4549abd/wss/test/install"
	"github.com/seed-c4549abd/wss/test/process"
)

// pipPackages are pinned, so that a failure is a change of ours.
var pipPackages = []string{
	"websockets==17.4", "aiohttp==3.14.5", "autobahn==26.10.2", "websocket-client==1.9.2", "wsproto==1.3.2", "tornado==6.6.1",
	"hypercorn==0.18.0", "uvicorn==0.54.0", "pycurl==7.49.0", "curl_cffi==0.17.0",
}

// hypercornFaults: hypercorn/protocol/ws_stream.py knows 1000 and 1006 only.
var hypercornFaults = []fault{
	{check: "closed by us", like: "code 1006", shows: "the application is told 1006 although a close frame with 4001 came (88 07 0f a1 …)"},
	{check: "close behind data", like: "code 1006", shows: "the application is told 1006 although a close frame with 1000 came (88 02 03 e8)"},
	{check: "message too big", like: "code 1006", shows: "the application is told 1006 although a close frame with 1009 came (88 … 03 f1)"},
}

// libcurlFaults: while its application sends nothing, libcurl answers no ping. A peer that sends data is kept all the same.
var libcurlFaults = []fault{{
	check: "idle", like: "no answer to a ping", shows: "a ping (89 08 …) is answered only when the application sends its next message",
}}

func init() {
	allFamilies["pip"] = &family{install: installPip}
	for _, p := range []*peer{
		{name: "websockets", roles: both, command: python("websockets_.py")},
		{name: "aiohttp", roles: both, command: python("aiohttp_.py")},
		{name: "autobahn", roles: both, command: python("autobahn_.py")},
		{name: "websocket-client", roles: clientOnly, command: python("websocket_client.py")},
		{name: "wsproto", roles: both, command: python("wsproto_.py")},
		{name: "Tornado", roles: both, command: python("tornado_.py")},
		{name: "hypercorn", roles: serverOnly, command: python("asgi.py", "PEER=hypercorn"), faults: hypercornFaults},
		{name: "uvicorn, websockets", roles: serverOnly, command: python("asgi.py", "PEER=uvicorn", "WS=websockets")},
		{name: "uvicorn, wsproto", roles: serverOnly, command: python("asgi.py", "PEER=uvicorn", "WS=wsproto"), faults: []fault{{
			check: "vanish", like: "code 1005",
			shows: "the application is told 1005, as behind a close frame without a code (88 00), for a stream that ended without any",
		}}},
		{name: "pycurl", roles: clientOnly, command: python("pycurl_.py"), faults: libcurlFaults},
		{name: "curl_cffi", roles: clientOnly, command: python("curl_cffi_.py"), faults: libcurlFaults},
	} {
		p.family = "pip"
		peers = append(peers, p)
	}
}

// installPip returns a virtual environment.
func installPip(ctx context.Context, m *matrix) (string, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", errors.New("there is no python3: install Python 3.10 or later, with venv (Debian: apt-get install python3-venv)")
	}
	return m.cache.Get("pip-"+fingerprint(pipPackages), func(dir string) error {
		for _, args := range [][]string{
			{python, "-m", "venv", dir},
			append([]string{filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "--quiet"}, pipPackages...),
		} {
			if _, err := install.Run(ctx, process.Command{Args: args, Env: pythonEnv()}); err != nil {
				return fmt.Errorf("cannot install (is PyPI in reach, and venv there?): %w", err)
			}
		}
		return nil
	})
}

// python runs a program of peers/pip.
func python(program string, env ...string) func(*matrix, string) process.Command {
	return func(m *matrix, dir string) process.Command {
		return process.Command{Args: []string{filepath.Join(dir, "bin", "python"), m.program("pip/" + program)}, Env: append(pythonEnv(), env...)}
	}
}

// pythonEnv is this program's environment without what would lead Python to other packages.
func pythonEnv() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return name == "PYTHONPATH" || name == "PYTHONHOME" || name == "VIRTUAL_ENV"
	})
	return append(env, "PIP_DISABLE_PIP_VERSION_CHECK=1", "PYTHONNOUSERSITE=1", "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1")
}
