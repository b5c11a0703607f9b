/* Echoes messages with libwebsockets, with compression and with validation of text. */

#include <libwebsockets.h>
#include <signal.h>
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
};

static int echo(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
	struct session *s = user;
	struct message *m;
	unsigned char *grown;

	switch (reason) {
	case LWS_CALLBACK_ESTABLISHED:
		memset(s, 0, sizeof *s);
		s->last = &s->first;
		/* compression has 1 KiB by default; this much holds the messages of the cases as a whole: 1 << 16 */
		lws_set_extension_option(wsi, "permessage-deflate", "rx_buf_size", "16");
		break;
	case LWS_CALLBACK_RECEIVE:
		if (!(grown = realloc(s->partial, s->length + length + 1)))
			return -1;
		s->partial = grown;
		memcpy(s->partial + s->length, in, length);
		s->length += length;
		if (lws_remaining_packet_payload(wsi) || !lws_is_final_fragment(wsi))
			break;
		if (!(m = malloc(sizeof *m + LWS_PRE + s->length)))
			return -1;
		m->next = NULL;
		m->length = s->length;
		m->binary = lws_frame_is_binary(wsi);
		memcpy(m->octets + LWS_PRE, s->partial, s->length);
		s->length = 0;
		*s->last = m;
		s->last = &m->next;
		lws_callback_on_writable(wsi);
		break;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		free(s->writing);
		if (!(m = s->writing = s->first))
			break;
		if (!(s->first = m->next))
			s->last = &s->first;
		lws_callback_on_writable(wsi);
		if (lws_write(wsi, m->octets + LWS_PRE, m->length, m->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) < 0)
			return -1;
		break;
	case LWS_CALLBACK_CLOSED:
		free(s->partial);
		free(s->writing);
		while ((m = s->first)) {
			s->first = m->next;
			free(m);
		}
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

static const struct lws_extension extensions[] = {
	{ "permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate; client_no_context_takeover" },
	{ NULL, NULL, NULL }
};

int main(void)
{
	struct lws_context_creation_info info;
	struct lws_context *context;
	struct lws_vhost *host;

	signal(SIGPIPE, SIG_IGN);
	lws_set_log_level(LLL_ERR, NULL);
	memset(&info, 0, sizeof info);
	info.iface = "lo";
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.protocols = protocols;
	info.extensions = extensions;
	info.pt_serv_buf_size = 1 << 16;
	info.options = LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DISABLE_IPV6;
	if (!(context = lws_create_context(&info)))
		return 1;
	info.port = 0; /* any */
	if (!(host = lws_create_vhost(context, &info)))
		return 1;
	printf("listening ws://127.0.0.1:%d\n", lws_get_vhost_listen_port(host));
	fflush(stdout);
	while (lws_service(context, 0) >= 0)
		;
	lws_context_destroy(context);
	return 0;
}
