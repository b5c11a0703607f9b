package libs

import (
	"io"
	"log/slog"
	"net"
	"net/http"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/observe"
	wssexpvar "github.com/seed-c4549abd/wss/observe/expvar"
	wssotel "github.com/seed-c4549abd/wss/observe/otel"
	wssprometheus "github.com/seed-c4549abd/wss/observe/prometheus"
	wssslog "github.com/seed-c4549abd/wss/observe/slog"
)

// Observed returns wss with each observer of package observe, and with all of them. Only the tables of -observers contain them.
func Observed() []Lib {
	return []Lib{
		observed("wss-slog", slogObserver), observed("wss-expvar", expvarObserver),
		observed("wss-prometheus", prometheusObserver), observed("wss-otel", otelObserver),
		observed("wss-all", func() (conn.Observer, error) {
			o, err := otelObserver()
			if err != nil {
				return nil, err
			}
			s, _ := slogObserver()
			e, _ := expvarObserver()
			p, _ := prometheusObserver()
			return observe.All(s, e, p, o), nil
		}),
	}
}

// observed returns wss with an observer that is made when the server starts.
func observed(name string, newObserver func() (conn.Observer, error)) Lib {
	l := wssServe()
	l.Name, l.Setup = name, l.Setup+", with an observer"
	l.Serve = func(ln net.Listener, o Options) error {
		options := wssOptions(o)
		var err error
		if options.Observer, err = newObserver(); err != nil {
			return err
		}
		options.ConnContext = observe.ConnContext
		return serveHTTP(conn.NewListener(ln), o, func(w http.ResponseWriter, r *http.Request) {
			if c, err := conn.Accept(w, r, options); err == nil {
				c.ServeInBackground(wssEcho, wssEnded(c, o.Hub))
			}
		})
	}
	return l
}

func slogObserver() (conn.Observer, error) {
	return wssslog.New(wssslog.Options{Logger: slog.New(slog.NewJSONHandler(io.Discard, nil))}), nil
}

func expvarObserver() (conn.Observer, error) { return wssexpvar.New(wssexpvar.Options{}), nil }

func prometheusObserver() (conn.Observer, error) {
	return wssprometheus.New(wssprometheus.Options{}), nil
}

func otelObserver() (conn.Observer, error) {
	return wssotel.New(wssotel.Options{
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())),
		TracerProvider: sdktrace.NewTracerProvider(),
	})
}
