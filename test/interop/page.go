package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// pageChecks use the demo's page in a browser, through the page's own controls.
type pageChecks struct {
	report *report
	driver *webDriver
	demo   *demo
}

// run makes the checks in order. One that fails leaves the page in a state that the
// next ones do not expect, so it is the last.
func (p *pageChecks) run(ctx context.Context) {
	for _, check := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"the page connects over wss", p.connects},
		{"text with emoji comes back", p.text},
		{"typed text comes back", p.typedText},
		{"binary of 125 bytes to 1 MiB comes back", p.binary},
		{"nothing in the console", p.console},
		{"closed by the page, cleanly with 1000", p.closes},
		{"closed by the page, as the server saw it", p.serverSawClose},
		{"the page connects again", p.connectsAgain},
		{"closed by the server, cleanly with 1001", p.goingAway},
	} {
		if err := p.check(ctx, check.run); err != nil {
			p.report.add("browser: "+check.name, err)
			return
		}
		p.report.add("browser: "+check.name, nil)
	}
}

func (p *pageChecks) check(ctx context.Context, run func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, checkTime, fmt.Errorf("not done after %v", checkTime))
	defer cancel()
	return run(ctx)
}

func (p *pageChecks) connects(ctx context.Context) error {
	if err := p.driver.navigate(ctx, p.demo.page); err != nil {
		return err
	}
	if err := p.driver.await(ctx, "#state", "^open$"); err != nil {
		return err
	}
	return p.driver.await(ctx, "#subprotocol", "^echo$")
}

// comesBack waits for the page's word that the newest message came back unchanged,
// and for its round-trip time.
func (p *pageChecks) comesBack(ctx context.Context, label string, count int) error {
	if err := p.driver.await(ctx, "#echoed", fmt.Sprintf(`^%d$`, count)); err != nil {
		return err
	}
	if err := p.driver.await(ctx, "#log li:first-child", `^← `+label+`, \d+\.\d\d ms$`); err != nil {
		return err
	}
	return p.driver.await(ctx, "#rtt", `^\d+\.\d\d ms$`)
}

func (p *pageChecks) text(ctx context.Context) error {
	if err := p.driver.click(ctx, "#send"); err != nil {
		return err
	}
	return p.comesBack(ctx, `"Hello, 世界 👋"`, 1)
}

func (p *pageChecks) typedText(ctx context.Context) error {
	if err := p.driver.fill(ctx, "#text", "grüße, 世界"); err != nil {
		return err
	}
	if err := p.driver.click(ctx, "#send"); err != nil {
		return err
	}
	return p.comesBack(ctx, `"grüße, 世界"`, 2)
}

func (p *pageChecks) binary(ctx context.Context) error {
	for n, size := range []int{125, 65536, 1 << 20} {
		if err := p.driver.click(ctx, fmt.Sprintf("#size option[value='%d']", size)); err != nil {
			return err
		}
		if err := p.driver.click(ctx, "#binary"); err != nil {
			return err
		}
		if err := p.comesBack(ctx, fmt.Sprintf("%d random bytes", size), 3+n); err != nil {
			return err
		}
	}
	return nil
}

// console fails if the browser complained, of a violated policy for example.
func (p *pageChecks) console(ctx context.Context) error {
	found, err := p.driver.errors(ctx)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return errors.New(strings.Join(found, "\n"))
	}
	return nil
}

func (p *pageChecks) closes(ctx context.Context) error {
	if err := p.driver.click(ctx, "#close"); err != nil {
		return err
	}
	return p.driver.await(ctx, "#state", "^closed: code=1000 wasClean=true")
}

func (p *pageChecks) serverSawClose(ctx context.Context) error {
	_, err := p.demo.process.await(ctx, `^closed .*code 1000 .*"closed on the page"`)
	return err
}

func (p *pageChecks) connectsAgain(ctx context.Context) error {
	if err := p.driver.click(ctx, "#connect"); err != nil {
		return err
	}
	return p.driver.await(ctx, "#state", "^open$")
}

// goingAway interrupts the demo, which has to say goodbye and end well.
func (p *pageChecks) goingAway(ctx context.Context) error {
	if status := p.demo.process.Stop(); status != 0 {
		return fmt.Errorf("the demo ended with status %d\n%s", status, p.demo.process.out.Tail())
	}
	return p.driver.await(ctx, "#state", `^closed: code=1001 wasClean=true reason="the server is shutting down"$`)
}
