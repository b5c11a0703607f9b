package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// proxy is how one of the proxies is run, and what it can do.
type proxy struct {
	name, debian, program string
	// h2 says that it takes WebSockets over HTTP/2 in front (RFC 8441).
	h2 bool
	// passes says that the page has a configuration that passes TLS through, with the PROXY protocol.
	passes bool
	// replaces are the fields of the client's that it does not pass on, but replaces by its own.
	replaces map[string]bool
	// backend is a part of the line of its configuration that names our server, which another block replaces for TLS.
	backend string
	// fit changes what is printed for everybody to what runs here: ports, and timeouts of three seconds in place of 60.
	fit func(port int) []edit
	// command returns what is put around the configuration, and the arguments with which the program is run.
	command func(r *rig) (before, after string, args []string)
	// symptoms are those of the page's table that it can produce.
	symptoms []symptom
}

// rig is a proxy that is to run: its directory, its port, and the file of its configuration.
type rig struct {
	dir, config string
	port        int
}

func proxies() []*proxy {
	return []*proxy{
		{
			name: "nginx", debian: "nginx", program: "nginx", backend: "proxy_pass",
			fit: func(port int) []edit {
				return []edit{{"listen 443", fmt.Sprintf("listen 127.0.0.1:%d", port)}, {"60s", "3s"}}
			},
			command: nginxCommand, symptoms: nginxSymptoms,
		},
		{
			name: "haproxy", debian: "haproxy", program: "haproxy", h2: true, passes: true, backend: "server chat1",
			fit: func(port int) []edit {
				return []edit{{"bind :443", fmt.Sprintf("bind 127.0.0.1:%d", port)}, {"60s", "3s"}}
			},
			command: func(r *rig) (string, string, []string) {
				return "global\n    maxconn 500\n\n", "", []string{"-db", "-f", r.config}
			},
			symptoms: haproxySymptoms,
		},
		{
			name: "caddy", debian: "caddy", program: "caddy", backend: "reverse_proxy", replaces: map[string]bool{"X-Forwarded-For": true},
			fit: func(port int) []edit {
				return []edit{{"localhost {", fmt.Sprintf("https://localhost:%d {\n    bind 127.0.0.1", port)}}
			},
			command: func(r *rig) (string, string, []string) {
				return "{\n    admin off\n    auto_https off\n}\n", "", []string{"run", "--config", r.config, "--adapter", "caddyfile"}
			},
			symptoms: caddySymptoms,
		},
		{
			name: "apache", debian: "apache2", program: "apache2", h2: true, backend: "ProxyPass",
			fit: func(port int) []edit {
				return []edit{{"*:443", fmt.Sprintf("127.0.0.1:%d", port)}, {"Timeout 60", "Timeout 3"}}
			},
			command: apacheCommand, symptoms: apacheSymptoms,
		},
		{
			name: "nghttpx", debian: "nghttp2-proxy", program: "nghttpx", h2: true, backend: "backend=", replaces: map[string]bool{"Forwarded": true},
			fit: func(port int) []edit {
				return []edit{{"*,443", fmt.Sprintf("127.0.0.1,%d", port)}, {"60s", "3s"}}
			},
			command: func(r *rig) (string, string, []string) {
				return "", "", []string{"--conf=" + r.config, "--workers=1", "--no-ocsp", "--errorlog-file=/dev/stderr", "--accesslog-file=/dev/null"}
			},
			symptoms: nghttpxSymptoms,
		},
	}
}

func nginxCommand(r *rig) (before, after string, args []string) {
	var b strings.Builder
	if os.Geteuid() == 0 {
		b.WriteString("user root;\n") // its workers use our directory
	}
	fmt.Fprintf(&b, "daemon off;\npid %s/nginx.pid;\nworker_processes 1;\nevents { worker_connections 500; }\nhttp {\naccess_log off;\n", r.dir)
	for _, temp := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&b, "%s_temp_path %s/%s;\n", temp, r.dir, temp)
	}
	return b.String(), "}\n", []string{"-p", r.dir, "-e", "stderr", "-c", r.config}
}

// apacheModules are those that the page names, and what they need.
var apacheModules = []string{"mpm_event", "authz_core", "ssl", "http2", "proxy", "proxy_http"}

func apacheCommand(r *rig) (before, after string, args []string) {
	var b strings.Builder
	fmt.Fprintf(&b, "ServerRoot %s\nPidFile %[1]s/pid\nErrorLog /dev/stderr\nLogLevel error\nServerName localhost\nListen 127.0.0.1:%d\n", r.dir, r.port)
	if os.Geteuid() == 0 {
		b.WriteString("User www-data\nGroup www-data\n")
	}
	for _, module := range apacheModules {
		fmt.Fprintf(&b, "LoadModule %s_module %s\n", module, filepath.Join("/usr/lib/apache2/modules", "mod_"+module+".so"))
	}
	return b.String(), "", []string{"-D", "FOREGROUND", "-f", r.config}
}
