// An echo server on uWebSockets' C interface: echo CERT KEY, both in PEM. It listens on a
// free port of loopback, says which, and ends when its standard input does.
//
// Declared here is only what is used, as the library of the PyPI package socketify 0.0.31
// has it; its fork of the interface hands user data to every callback.
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

typedef struct uws_app uws_app;
typedef struct uws_websocket uws_websocket;
struct us_listen_socket_t;
struct us_socket_context_options_t {
	const char *key_file_name, *cert_file_name, *passphrase, *dh_params_file_name, *ca_file_name, *ssl_ciphers;
	int ssl_prefer_low_memory_usage;
};
typedef struct { int port; const char *host; int options; } listen_config;
typedef struct {
	int compression; // 0: none
	unsigned int maxPayloadLength;
	unsigned short idleTimeout; // seconds; 0: none
	unsigned int maxBackpressure;
	bool closeOnBackpressureLimit, resetIdleTimeoutOnSend, sendPingsAutomatically;
	unsigned short maxLifetime; // minutes; 0: for ever
	void *upgrade, *open;
	void (*message)(uws_websocket *, const char *, size_t, int opcode, void *);
	void *drain, *ping, *pong, *close, *subscription;
} behavior;

uws_app *uws_create_app(int ssl, struct us_socket_context_options_t);
bool uws_constructor_failed(int ssl, uws_app *);
void uws_ws(int ssl, uws_app *, const char *pattern, behavior, void *);
int uws_ws_send(int ssl, uws_websocket *, const char *, size_t, int opcode);
void uws_app_listen_with_config(int ssl, uws_app *, listen_config, void (*)(struct us_listen_socket_t *, listen_config, void *), void *);
int us_socket_local_port(int ssl, struct us_listen_socket_t *);
void uws_app_run(int ssl, uws_app *);

enum { TLS = 1 };

// Sent from within the handler, replies are corked by the library until the input already
// here is handled.
static void message(uws_websocket *ws, const char *data, size_t n, int opcode, void *_) {
	uws_ws_send(TLS, ws, data, n, opcode);
}

static void listening(struct us_listen_socket_t *l, listen_config c, void *_) {
	if (!l) _exit(1);
	printf("127.0.0.1:%d\n", us_socket_local_port(TLS, l));
	fflush(stdout);
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
