// libsoup 3 as an echo, in both roles: see ../README.md.
#include <libsoup/soup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT (17 << 20)

static GMainLoop *loop;
static SoupSession *session;
static char **urls;

static void next(void);

static char *quote(const char *text) {
  GString *out = g_string_new("\"");
  for (const char *p = text ? text : ""; *p; p++) {
    if (*p == '"' || *p == '\\') g_string_append_c(out, '\\');
    if ((unsigned char)*p >= 32) g_string_append_c(out, *p);
  }
  g_string_append_c(out, '"');
  return g_string_free(out, FALSE);
}

static void on_message(SoupWebsocketConnection *ws, gint type, GBytes *message, gpointer data) {
  gsize size;
  const char *bytes = g_bytes_get_data(message, &size);
  if (soup_websocket_connection_get_state(ws) != SOUP_WEBSOCKET_STATE_OPEN) return;
  if (type == SOUP_WEBSOCKET_DATA_TEXT && size > 7 && strncmp(bytes, "!close ", 7) == 0) {
    char *rest = g_strndup(bytes + 7, size - 7), *reason = strchr(rest, ' ');
    soup_websocket_connection_close(ws, atoi(rest), reason ? reason + 1 : "");
    g_free(rest);
  } else if (type == SOUP_WEBSOCKET_DATA_TEXT && size > 6 && strncmp(bytes, "!send ", 6) == 0) {
    char *rest = g_strndup(bytes + 6, size - 6);
    char *zeros = g_malloc0(atoi(rest));
    soup_websocket_connection_send_binary(ws, zeros, atoi(rest));
    g_free(zeros);
    g_free(rest);
  } else {
    soup_websocket_connection_send_message(ws, type, message);
  }
}

static void on_closed(SoupWebsocketConnection *ws, gpointer is_client) {
  int code = soup_websocket_connection_get_close_code(ws);
  char *reason = quote(soup_websocket_connection_get_close_data(ws));
  printf("{\"closed\": %d, \"reason\": %s}\n", code ? code : 1006, reason);
  fflush(stdout);
  g_free(reason);
  g_object_unref(ws);
  if (is_client) next();
}

static void serve(SoupWebsocketConnection *ws, gpointer is_client) {
  soup_websocket_connection_set_max_incoming_payload_size(ws, LIMIT);
  soup_websocket_connection_set_keepalive_interval(ws, 0);
  g_signal_connect(ws, "message", G_CALLBACK(on_message), NULL);
  g_signal_connect(ws, "closed", G_CALLBACK(on_closed), is_client);
}

static void connected(GObject *source, GAsyncResult *result, gpointer data) {
  GError *why = NULL;
  SoupWebsocketConnection *ws = soup_session_websocket_connect_finish(SOUP_SESSION(source), result, &why);
  if (ws == NULL) {
    char *text = quote(why->message);
    printf("{\"failed\": %s}\n", text);
    fflush(stdout);
    g_free(text);
    g_error_free(why);
    next();
    return;
  }
  serve(ws, GINT_TO_POINTER(1));
}

static void next(void) {
  if (*urls == NULL) {
    g_main_loop_quit(loop);
    return;
  }
  char *protocols[] = {"unknown", "echo", NULL};
  SoupMessage *message = soup_message_new("GET", *urls++);
  soup_session_websocket_connect_async(session, message, NULL, protocols, G_PRIORITY_DEFAULT, NULL, connected, NULL);
  g_object_unref(message);
}

static void opened(SoupServer *server, SoupServerMessage *message, const char *path, SoupWebsocketConnection *ws, gpointer data) {
  serve(g_object_ref(ws), NULL);
}

int main(int argc, char **argv) {
  GError *why = NULL;
  loop = g_main_loop_new(NULL, FALSE);
  if (strcmp(argv[1], "version") == 0) {
    printf("%u.%u.%u\n", soup_get_major_version(), soup_get_minor_version(), soup_get_micro_version());
    return 0;
  }
  if (strcmp(argv[1], "client") == 0) {
    GTlsDatabase *authority = g_tls_file_database_new(argv[2], &why);
    session = soup_session_new_with_options("tls-database", authority, NULL);
    urls = argv + 3;
    next();
  } else {
    char *protocols[] = {"echo", NULL};
    GTlsCertificate *certificate = g_tls_certificate_new_from_files(argv[3], argv[4], &why);
    SoupServer *server = soup_server_new("tls-certificate", certificate, NULL);
    soup_server_add_websocket_handler(server, NULL, NULL, protocols, opened, NULL, NULL);
    if (!soup_server_listen_local(server, atoi(argv[2]), SOUP_SERVER_LISTEN_HTTPS | SOUP_SERVER_LISTEN_IPV4_ONLY, &why)) return 1;
    printf("{\"listening\": %s}\n", argv[2]);
    fflush(stdout);
  }
  g_main_loop_run(loop);
  return 0;
}
