package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/test/install"
	"github.com/seed-c4549abd/wss/test/process"
)

// find returns the path of a program, which is installed from Debian if we are root there.
func find(ctx context.Context, b *bench, program string) (string, error) {
	look := func() (string, error) {
		if path, err := exec.LookPath(program); err == nil {
			return path, nil
		}
		path := "/usr/sbin/" + program // which is not in everybody's PATH
		_, err := os.Stat(path)
		return path, err
	}
	path, err := look()
	if err == nil {
		return path, nil
	}
	if err := install.Debian(ctx, b.log, program); err != nil {
		return "", fmt.Errorf("there is no %s: %w", program, err)
	}
	return look()
}

// start runs a program, and returns when it accepts connections at every port.
func (b *bench) start(ctx context.Context, args []string, ports ...string) (stop func(), err error) {
	out := process.NewJournal()
	p, err := process.Start(ctx, process.Command{Args: args, Dir: b.work}, out, out)
	if err != nil {
		return nil, err
	}
	for _, port := range ports {
		if err := await(ctx, p, port); err != nil {
			p.Stop()
			return nil, fmt.Errorf("%s: %w\n%s", args[0], err, out.Tail())
		}
	}
	return func() { p.Stop() }, nil
}

// await waits until somebody accepts connections at a port of this host.
func await(ctx context.Context, p *process.Process, port string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, fmt.Errorf("nobody listens on port %s", port))
	defer cancel()
	for {
		nc, err := new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+port)
		if err == nil {
			return nc.Close()
		}
		select {
		case <-p.Done():
			return fmt.Errorf("it has ended: %w", p.Wait())
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// write writes a file for a program, and returns its path.
func (b *bench) write(name, content string, mode os.FileMode) (string, error) {
	path := filepath.Join(b.work, name)
	return path, os.WriteFile(path, []byte(content), mode)
}

// The credentials that the proxies want.
const (
	user     = "user"
	password = "pass word"
)

// runSquid checks squid: a port without credentials, one that wants them, and one with TLS. It resolves names by a file of ours.
func runSquid(ctx context.Context, b *bench) error {
	squid, err := find(ctx, b, "squid")
	if err != nil {
		return err
	}
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	certificate, key, err := b.origin.pem()
	if err != nil {
		return err
	}
	paths := map[string]string{}
	for _, file := range []struct {
		name, content string
		mode          os.FileMode
	}{
		{"certificate.pem", certificate, 0o644},
		{"key.pem", key, 0o644}, // of a certificate that nobody else trusts
		{"hosts", "127.0.0.1 origin.test xn--bcher-kva.test\n", 0o644},
		{"login", "#!/bin/sh\nwhile read -r line; do\n" +
			"  if [ \"$line\" = 'user pass%20word' ]; then echo OK; else echo ERR; fi\ndone\n", 0o755},
	} {
		if paths[file.name], err = b.write(file.name, file.content, file.mode); err != nil {
			return err
		}
	}
	config, err := b.write("squid.conf", strings.Join([]string{
		"http_port 127.0.0.1:" + ports[0] + " name=open",
		"http_port 127.0.0.1:" + ports[1] + " name=closed",
		"https_port 127.0.0.1:" + ports[2] + " name=tls tls-cert=" + paths["certificate.pem"] + " tls-key=" + paths["key.pem"],
		"auth_param basic program " + paths["login"],
		"auth_param basic children 1",
		"acl forbidden dstdomain forbidden.test",
		"acl closed myportname closed",
		"acl known proxy_auth REQUIRED",
		"http_access deny forbidden",
		"http_access deny closed !known",
		"http_access allow all",
		"hosts_file " + paths["hosts"],
		"cache deny all", "access_log none", "cache_log /dev/null", "cache_store_log none", "pid_filename none",
		"coredump_dir " + b.work, "shutdown_lifetime 0 seconds", "connect_timeout 5 seconds", "pinger_enable off", "",
	}, "\n"), 0o644)
	if err != nil {
		return err
	}
	stop, err := b.start(ctx, []string{squid, "-N", "-d", "1", "-f", config}, ports...)
	if err != nil {
		return err
	}
	defer stop()
	b.checkOpen(ctx, "squid", "http", ports[0])
	b.checkOpen(ctx, "squid over TLS", "https", ports[2])
	b.checkClosed(ctx, "squid", "http", ports[1])
	for _, scheme := range []string{"http", "https"} {
		port := map[string]string{"http": ports[0], "https": ports[2]}[scheme]
		b.check(ctx, "squid, a forbidden host by "+scheme, b.refusal(scheme, port, nil, "wss://forbidden.test/", "proxy_refused", 403))
	}
	b.checkNames(ctx, ports[0])
	return nil
}

// runTinyproxy checks tinyproxy: one without credentials that forbids a port, and one that wants them.
func runTinyproxy(ctx context.Context, b *bench) error {
	tinyproxy, err := find(ctx, b, "tinyproxy")
	if err != nil {
		return err
	}
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	for i, more := range []string{"", "BasicAuth " + user + " " + strings.ReplaceAll(password, " ", "_") + "\n"} {
		content := "Port " + ports[i] + "\nListen 127.0.0.1\nTimeout 60\nLogLevel Error\nMaxClients 100\nAllow 127.0.0.1\n" + more
		for _, allowed := range []string{b.origin.ws, b.origin.wss, unreachable} {
			_, port, _ := net.SplitHostPort(allowed)
			content += "ConnectPort " + port + "\n"
		}
		config, err := b.write(fmt.Sprintf("tinyproxy%d.conf", i), content, 0o644)
		if err != nil {
			return err
		}
		stop, err := b.start(ctx, []string{tinyproxy, "-d", "-c", config}, ports[i])
		if err != nil {
			return err
		}
		defer stop()
	}
	b.checkOpen(ctx, "tinyproxy", "http", ports[0])
	b.check(ctx, "tinyproxy, a forbidden port", b.refusal("http", ports[0], nil, "wss://127.0.0.1:"+ports[2]+"/", "proxy_refused", 403))
	b.checkClosedWith(ctx, "tinyproxy", "http", ports[1], strings.ReplaceAll(password, " ", "_"))
	return nil
}

// runMicrosocks checks microsocks, with and without credentials.
func runMicrosocks(ctx context.Context, b *bench) error {
	microsocks, err := find(ctx, b, "microsocks")
	if err != nil {
		return err
	}
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	for i, more := range [][]string{nil, {"-u", user, "-P", password}} {
		stop, err := b.start(ctx, append([]string{microsocks, "-i", "127.0.0.1", "-p", ports[i]}, more...), ports[i])
		if err != nil {
			return err
		}
		defer stop()
	}
	b.checkOpen(ctx, "microsocks", "socks5", ports[0])
	b.checkOpen(ctx, "microsocks by socks5h", "socks5h", ports[0])
	b.checkClosed(ctx, "microsocks", "socks5", ports[1])
	return nil
}

// pem returns the origin's certificate and key, which serve squid too.
func (o *origin) pem() (certificate, key string, err error) {
	c := o.server.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return "", "", err
	}
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return encode("CERTIFICATE", c.Certificate[0]), encode("PRIVATE KEY", der), nil
}
