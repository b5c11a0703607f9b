/* libwebsockets as an echo, in both roles: see ../README.md. */

#include <libwebsockets.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct message {
	struct message *next;
	size_t length;
	int binary;
	unsigned char octets[]; /* LWS_PRE of room, then the payload */
};

struct session {
	unsigned char *partial; /* of the message in progress */
	size_t length;
	struct message *first, **last;
	struct message *writing; /* compression reads it until the next writeable callback */
	int code;                /* of the peer's close frame */
	char reason[126];
};

static char **urls;
static struct lws_context *context;
static int next_wanted;

static void put_end(int code, const char *reason)
{
	printf("{\"closed\": %d, \"reason\": \"%s\"}\n", code, reason);
	fflush(stdout);
}

static void put_failed(const char *why)
{
	printf("{\"failed\": \"%s\"}\n", why);
	fflush(stdout);
	next_wanted = 1;
}

static void queue(struct lws *wsi, struct session *s, const void *data, size_t length, int binary)
{
	struct message *m = malloc(sizeof *m + LWS_PRE + length);

	m->next = NULL;
	m->length = length;
	m->binary = binary;
	memcpy(m->octets + LWS_PRE, data, length);
	*s->last = m;
	s->last = &m->next;
	lws_callback_on_writable(wsi);
}

/* whole handles a message, and returns -1 to close the connection */
static int whole(struct lws *wsi, struct session *s)
{
	char *text = (char *)s->partial, *reason;

	if (!lws_frame_is_binary(wsi) && s->length > 7 && !memcmp(text, "!close ", 7)) {
		text[s->length] = 0;
		reason = strchr(text + 7, ' ');
		lws_close_reason(wsi, atoi(text + 7), (unsigned char *)reason + 1, strlen(reason + 1));
		s->code = atoi(text + 7);
		strcpy(s->reason, reason + 1);
		return -1;
	}
	if (!lws_frame_is_binary(wsi) && s->length > 6 && !memcmp(text, "!send ", 6)) {
		text[s->length] = 0;
		void *zeros = calloc(1, atoi(text + 6));
		queue(wsi, s, zeros, atoi(text + 6), 1);
		free(zeros);
	} else {
		queue(wsi, s, s->partial, s->length, lws_frame_is_binary(wsi));
	}
	s->length = 0;
	return 0;
}

static int echo(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
	struct session *s = user;
	struct message *m;
	unsigned char *grown, *octets = in;

	switch (reason) {
	case LWS_CALLBACK_ESTABLISHED:
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		memset(s, 0, sizeof *s);
		s->last = &s->first;
		break;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		put_failed(in ? "connection error" : "no connection");
		break;
	case LWS_CALLBACK_RECEIVE:
	case LWS_CALLBACK_CLIENT_RECEIVE:
		if (!(grown = realloc(s->partial, s->length + length + 1)))
			return -1;
		s->partial = grown;
		memcpy(s->partial + s->length, in, length);
		s->length += length;
		if (!lws_remaining_packet_payload(wsi) && lws_is_final_fragment(wsi))
			return whole(wsi, s);
		break;
	case LWS_CALLBACK_SERVER_WRITEABLE:
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		free(s->writing);
		if (!(m = s->writing = s->first))
			break;
		if (!(s->first = m->next))
			s->last = &s->first;
		lws_callback_on_writable(wsi);
		if (lws_write(wsi, m->octets + LWS_PRE, m->length, m->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) < 0)
			return -1;
		break;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		s->code = 1005;
		if (length >= 2) {
			s->code = octets[0] << 8 | octets[1];
			memcpy(s->reason, octets + 2, length - 2);
			s->reason[length - 2] = 0;
		}
		break;
	case LWS_CALLBACK_CLOSED:
	case LWS_CALLBACK_CLIENT_CLOSED:
		free(s->partial);
		free(s->writing);
		while ((m = s->first)) {
			s->first = m->next;
			free(m);
		}
		put_end(s->code ? s->code : 1006, s->reason);
		next_wanted = 1;
		break;
	default:
		break;
	}
	return 0;
}

static const struct lws_protocols protocols[] = {
	{ "echo", echo, sizeof(struct session), 65536, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 }
};

/* No compression: with it version 4.1 aborts on an empty message ("FAIL want to trim out length 0", extension-permessage-deflate.c),
   and as a client it leaves messages unsent. */

static int connect_to(char *url)
{
	struct lws_client_connect_info info;
	char *host = strstr(url, "://") + 3, *colon = strchr(host, ':'), *slash = strchr(host, '/');
	static char name[256], path[256], authority[300];

	snprintf(name, sizeof name, "%.*s", (int)(colon - host), host);
	snprintf(authority, sizeof authority, "%.*s", (int)(slash - host), host);
	snprintf(path, sizeof path, "%s", slash);
	memset(&info, 0, sizeof info);
	info.context = context;
	info.address = name;
	info.port = atoi(colon + 1);
	info.path = path;
	info.host = authority;
	info.protocol = "unknown, echo";
	info.local_protocol_name = "echo";
	info.ssl_connection = LCCSCF_USE_SSL;
	return lws_client_connect_via_info(&info) != NULL;
}

int main(int argc, char **argv)
{
	struct lws_context_creation_info info;

	signal(SIGPIPE, SIG_IGN);
	lws_set_log_level(LLL_ERR, NULL);
	memset(&info, 0, sizeof info);
	info.protocols = protocols;
	info.pt_serv_buf_size = 1 << 16;
	info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_DISABLE_IPV6;
	if (!strcmp(argv[1], "version")) {
		printf("%s\n", LWS_LIBRARY_VERSION);
		return 0;
	}
	if (!strcmp(argv[1], "client")) {
		info.port = CONTEXT_PORT_NO_LISTEN;
		info.client_ssl_ca_filepath = argv[2];
		if (!(context = lws_create_context(&info)))
			return 1;
		urls = argv + 3;
		next_wanted = 1;
		for (;;) {
			if (next_wanted) {
				next_wanted = 0;
				if (!*urls)
					return 0;
				if (!connect_to(*urls++) && !next_wanted)
					put_failed("cannot connect");
			}
			if (lws_service(context, 0) < 0)
				return 1;
		}
	}
	info.iface = "lo";
	info.port = atoi(argv[2]);
	info.ssl_cert_filepath = argv[3];
	info.ssl_private_key_filepath = argv[4];
	if (!(context = lws_create_context(&info)))
		return 1;
	printf("{\"listening\": %s}\n", argv[2]);
	fflush(stdout);
	while (lws_service(context, 0) >= 0)
		;
	return 0;
}
