package rows

import "github.com/seed-c4549abd/wss/bench/libs"

// CompatPlan returns rows 1 to 6, 8 and 9 with compat/gorilla, beside gorilla alone.
func (c *Config) CompatPlan() []Table {
	lines := []string{"gorilla"}
	for _, l := range libs.Compat() {
		lines = append(lines, l.Name)
	}
	c.lines = lines
	var tables []Table
	for _, t := range append(c.echoTables(), c.pushTables()...) {
		if c.wants(t.Row) {
			tables = append(tables, t)
		}
	}
	return tables
}
