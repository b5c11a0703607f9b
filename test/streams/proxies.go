package main
import "context"
func throughProxies(ctx context.Context, o *options) error { return nil }
func withHypercorn(ctx context.Context, o *options) error { return nil }
