package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/seed-c4549abd/wss/test/install"
	"github.com/seed-c4549abd/wss/test/process"
)

func init() {
	allFamilies["maven"] = &family{install: installMaven}
	for _, p := range []*peer{
		{name: "java.net.http", roles: clientOnly, command: java("Jdk")},
		{name: "OkHttp", roles: clientOnly, command: java("OkHttp")},
		{name: "Netty", roles: both, command: java("Netty")},
		{name: "Jetty", roles: both, command: java("Jetty")},
		{name: "Tomcat", roles: serverOnly, command: java("Tomcat_")},
		{name: "Undertow", roles: serverOnly, command: java("Undertow_"), faults: []fault{{
			check: "vanish", like: "code 1000", shows: "WebSocketChannel.getCloseCode is 1000 for a stream that ended without a close frame",
		}}},
		{name: "Tyrus", roles: clientOnly, command: java("Tyrus")},
		{name: "Java-WebSocket", roles: both, command: java("JavaWebSocket"), faults: []fault{{
			role: "client", like: "the stream ended without a close frame",
			shows: "now and then it closes the socket before its writing thread has sent the answer to a close frame: after our 88 02 03 e8 comes the end of the stream and no 88 …",
		}}},
	} {
		p.family = "maven"
		peers = append(peers, p)
	}
}

// installMaven returns a directory with the libraries in lib, and our programs in classes.
func installMaven(ctx context.Context, m *matrix) (string, error) {
	for _, program := range []string{"mvn", "javac"} {
		if _, err := exec.LookPath(program); err != nil {
			if err := install.Debian(ctx, m.log, "maven", "default-jdk-headless"); err != nil {
				return "", fmt.Errorf("there is no %s: %w", program, err)
			}
		}
	}
	pom, err := programs.ReadFile("peers/maven/pom.xml")
	if err != nil {
		return "", err
	}
	libraries, err := m.cache.Get("maven-"+fingerprint([]string{string(pom)}), func(dir string) error {
		_, err := install.Run(ctx, process.Command{
			Args: []string{"mvn", "--quiet", "--batch-mode", "dependency:copy-dependencies", "-DoutputDirectory=" + filepath.Join(dir, "lib")},
			Dir:  m.program("maven"),
		})
		if err != nil {
			return fmt.Errorf("cannot install (is Maven's repository in reach?): %w", err)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	classes := filepath.Join(m.work, "classes")
	for _, sources := range []string{"*.java", "tomcat/*.java"} {
		files, _ := filepath.Glob(filepath.Join(m.program("maven"), sources))
		if len(files) == 0 {
			return "", errors.New("there are no Java programs")
		}
		path := classPath(libraries, classes, strings.HasPrefix(sources, "tomcat"))
		args := append([]string{"javac", "-nowarn", "-d", classes, "-classpath", path}, files...)
		if _, err := install.Run(ctx, process.Command{Args: args}); err != nil {
			return "", err
		}
	}
	return libraries, nil
}

// classPath has Tomcat's libraries, or all but those: Tomcat brings interfaces that others bring, too.
func classPath(libraries, classes string, tomcat bool) string {
	path := []string{classes}
	files, _ := filepath.Glob(filepath.Join(libraries, "lib", "*.jar"))
	for _, file := range files {
		if strings.HasPrefix(filepath.Base(file), "tomcat-") == tomcat {
			path = append(path, file)
		}
	}
	return strings.Join(path, string(os.PathListSeparator))
}

func java(class string) func(*matrix, string) process.Command {
	return func(m *matrix, dir string) process.Command {
		path := classPath(dir, filepath.Join(m.work, "classes"), class == "Tomcat_")
		return process.Command{Args: []string{"java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-classpath", path, "Main", class}}
	}
}
