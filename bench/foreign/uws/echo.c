// An echo server on uWebSockets' C interface: echo CERT KEY, both in PEM. It listens on a
// free port of loopback, says which, and ends when its standard input does.
#include "uws.h"

// Sent from within the handler, replies are corked by the library until the input already
// here is handled.
static void message(uws_websocket *ws, const char *data, size_t n, int opcode, void *_) {
	uws_ws_send(TLS, ws, data, n, opcode);
}

static void *until_eof(void *_) {
	for (char b; read(0, &b, 1) > 0;) {}
	_exit(0);
}

int main(int argc, char **argv) {
	pthread_t t;
	if (argc != 3 || pthread_create(&t, NULL, until_eof, NULL)) return 2;
	uws_app *app = uws_create_app(TLS, (struct us_socket_context_options_t){.cert_file_name = argv[1], .key_file_name = argv[2]});
	if (uws_constructor_failed(TLS, app)) return 1;
	uws_ws(TLS, app, "/*", (behavior){.maxPayloadLength = 4 << 20, .maxBackpressure = 64 << 20, .message = message}, NULL);
	uws_app_listen_with_config(TLS, app, (listen_config){.host = "127.0.0.1"}, listening, NULL);
	uws_app_run(TLS, app);
}
