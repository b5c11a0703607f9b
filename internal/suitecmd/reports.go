package suitecmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/autobahn/suite"
)

// writer writes reports where the flags want them.
type writer struct {
	o     *Options
	known *report.Golden
}

// newWriter reads the golden file, so that a mistake in it is found before anything runs. With -update-golden it may be
// missing.
func newWriter(o *Options) (*writer, error) {
	w := &writer{o: o}
	if o.golden == "" {
		return w, nil
	}
	f, err := os.Open(o.golden)
	if o.update && errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if w.known, err = report.ReadGolden(f); err != nil {
		return nil, fmt.Errorf("%s: %w", o.golden, err)
	}
	return w, nil
}

// files writes the reports that go to files.
func (w *writer) files(reports []*suite.Report) error {
	var errs []error
	if w.o.out != "" {
		errs = append(errs, suite.WriteJSON(w.o.out, reports...), suite.WriteHTML(w.o.out, reports...))
	}
	if w.o.junit != "" {
		var out bytes.Buffer
		errs = append(errs, suite.WriteJUnit(&out, w.known, reports...), os.WriteFile(w.o.junit, out.Bytes(), 0o644))
	}
	return errors.Join(errs...)
}

// finish writes all there is to write. Its error says whether something failed.
func (w *writer) finish(stdout io.Writer, reports []*suite.Report) error {
	if w.o.update {
		if len(reports) != 1 {
			return fmt.Errorf("suite: a golden file is about one agent, and there are %d", len(reports))
		}
		if err := w.update(reports[0]); err != nil {
			return err
		}
	}
	if err := w.files(reports); err != nil {
		return err
	}
	failed := false
	for _, r := range reports {
		if len(reports) > 1 {
			fmt.Fprintf(stdout, "\n%q\n", r.Agent)
		}
		if err := r.WriteTableKnowing(stdout, w.known); err != nil {
			return err
		}
		failed = failed || len(r.Problems(w.known)) > 0
	}
	if failed {
		return ErrFailed
	}
	return nil
}

// update writes the golden file with which a report passes. Cases that were not run are no deviations: they still fail.
func (w *writer) update(r *suite.Report) error {
	w.known = r.UpdateGolden(w.known)
	var out bytes.Buffer
	if _, err := w.known.WriteTo(&out); err != nil {
		return err
	}
	return os.WriteFile(w.o.golden, out.Bytes(), 0o644)
}
