// uWebSockets' C interface, as far as it is used here, as the library of the PyPI package socketify 0.0.31 has it; its fork of
// the interface hands user data to every callback.
#pragma once
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
bool uws_ws_subscribe(int ssl, uws_websocket *, const char *topic, size_t);
bool uws_publish(int ssl, uws_app *, const char *topic, size_t, const char *message, size_t, int opcode, bool compress);
void uws_app_listen_with_config(int ssl, uws_app *, listen_config, void (*)(struct us_listen_socket_t *, listen_config, void *), void *);
int us_socket_local_port(int ssl, struct us_listen_socket_t *);
void uws_app_run(int ssl, uws_app *);
struct us_loop_t *uws_get_loop(void);
void uws_loop_defer(struct us_loop_t *, void (*)(void *), void *); // the one function that other threads may call

enum { TLS = 1 };

// listening says which port of loopback was free.
static void listening(struct us_listen_socket_t *l, listen_config c, void *_) {
	if (!l) _exit(1);
	printf("127.0.0.1:%d\n", us_socket_local_port(TLS, l));
	fflush(stdout);
}
