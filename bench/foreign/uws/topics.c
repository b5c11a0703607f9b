// A server of topics on uWebSockets' C interface: topics CERT KEY, both in PEM. It listens on a free port of loopback, says
// which, and ends when its standard input does. A connection subscribes with the text "subscribe NAME", which is answered with
// "subscribed NAME". The server publishes by itself when it reads "publish COUNT RATE TOPICS"; see bench/topics/serve.go.
#include "uws.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TEXT = 1, PAYLOAD = 128, MOST_TOPICS = 1 << 16, TICK = 10 * 1000 * 1000 }; // TICK in ns

static uws_app *app;
static struct us_loop_t *loop;
static unsigned published[MOST_TOPICS]; // messages of each topic so far; for the loop's thread only

// batch is what is published at one time: messages FROM to TO, of topics that take turns.
struct batch { long from, to, topics; };

static void publish_one(long topic) {
	char name[32], payload[PAYLOAD + 1], message[256];
	int name_size = snprintf(name, sizeof name, "topic-%ld", topic);
	int n = snprintf(payload, sizeof payload, "\"#%ld %u ", topic, ++published[topic]);
	memset(payload + n, 'x', PAYLOAD - n);
	payload[PAYLOAD - 1] = '"';
	n = snprintf(message, sizeof message, "{\"topic\":\"%s\",\"data\":%.*s}", name, PAYLOAD, payload);
	uws_publish(TLS, app, name, name_size, message, n, TEXT, false);
}

static void publish_batch(void *data) {
	struct batch *b = data;
	for (long i = b->from; i < b->to; i++) publish_one(i % b->topics);
	free(b);
}

static void say(const char *line) {
	puts(line);
	fflush(stdout);
}

static void say_published(void *_) { say("published"); }

static long now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void sleep_for(long ns) {
	nanosleep(&(struct timespec){ns / 1000000000L, ns % 1000000000L}, NULL);
}

// publish hands what is due to the loop, at most once in a tick.
static void publish(long count, long rate, long topics) {
	long start = now();
	for (long sent = 0; sent < count;) {
		struct batch *b = malloc(sizeof *b);
		long due = (long)((double)(now() - start) * rate / 1e9) + 1;
		*b = (struct batch){sent, due < count ? due : count, topics};
		sent = b->to;
		uws_loop_defer(loop, publish_batch, b);
		long next = start + (long)(sent * 1e9 / rate) - now();
		if (sent < count) sleep_for(next > TICK ? next : TICK);
	}
	uws_loop_defer(loop, say_published, NULL);
}

// commands reads standard input to its end.
static void *commands(void *_) {
	char line[128];
	long count, rate, topics;
	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "publish %ld %ld %ld", &count, &rate, &topics) == 3 && rate > 0 && topics > 0 && topics <= MOST_TOPICS)
			publish(count, rate, topics);
		else
			say("error: all that can be asked for is publish COUNT RATE TOPICS");
	}
	_exit(0);
}

static void message(uws_websocket *ws, const char *data, size_t n, int opcode, void *_) {
	static const char ask[] = "subscribe ";
	const size_t ask_size = sizeof ask - 1;
	char answer[64];
	if (n <= ask_size || n > 40 || memcmp(data, ask, ask_size)) return;
	int name_size = n - ask_size;
	if (!uws_ws_subscribe(TLS, ws, data + ask_size, name_size)) return;
	int size = snprintf(answer, sizeof answer, "subscribed %.*s", name_size, data + ask_size);
	uws_ws_send(TLS, ws, answer, size, TEXT);
}

int main(int argc, char **argv) {
	pthread_t t;
	if (argc != 3) return 2;
	app = uws_create_app(TLS, (struct us_socket_context_options_t){.cert_file_name = argv[1], .key_file_name = argv[2]});
	if (uws_constructor_failed(TLS, app)) return 1;
	loop = uws_get_loop();
	uws_ws(TLS, app, "/*", (behavior){.maxPayloadLength = 1 << 20, .maxBackpressure = 64 << 20, .message = message}, NULL);
	uws_app_listen_with_config(TLS, app, (listen_config){.host = "127.0.0.1"}, listening, NULL);
	if (pthread_create(&t, NULL, commands, NULL)) return 1;
	uws_app_run(TLS, app);
}
