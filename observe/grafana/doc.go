// Package grafana holds dashboard.json, a Grafana dashboard for the metrics of observe/prometheus with their default
// namespace. Import it in Grafana (Dashboards, New, Import), or provision it from a file; it asks for the Prometheus data
// source. The tests of this module check it against Grafana's schema, and its expressions against a scrape.
package grafana
