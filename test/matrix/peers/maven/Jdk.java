import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** java.net.http, a client only. */
public class Jdk implements Main.Peer {
  public String version() {
    return System.getProperty("java.version");
  }

  public void client(String url, Main.Tls tls, CompletableFuture<String> end) throws Exception {
    HttpClient.newBuilder()
        .sslContext(tls.context())
        .build()
        .newWebSocketBuilder()
        .subprotocols("unknown", "echo")
        .buildAsync(URI.create(url), new Echo(end))
        .whenComplete((ws, why) -> {
          if (why != null) {
            end.completeExceptionally(why);
          }
        });
  }

  static class Echo implements WebSocket.Listener {
    final CompletableFuture<String> end;
    final StringBuilder text = new StringBuilder();
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CompletableFuture<WebSocket> sent = CompletableFuture.completedFuture(null);

    Echo(CompletableFuture<String> end) {
      this.end = end;
    }

    /** Only one message may be sent at a time. */
    void send(Function<WebSocket, CompletableFuture<WebSocket>> message) {
      sent = sent.thenCompose(message);
    }

    public CompletionStage<?> onText(WebSocket ws, CharSequence data, boolean last) {
      text.append(data);
      if (last) {
        String whole = text.toString();
        text.setLength(0);
        Main.Command c = Main.Command.of(whole);
        if (c == null) {
          send(x -> ws.sendText(whole, true));
        } else if (c.send() == null) {
          send(x -> ws.sendClose(c.code(), c.reason()));
        } else {
          send(x -> ws.sendBinary(ByteBuffer.wrap(c.send()), true));
        }
      }
      ws.request(1);
      return null;
    }

    public CompletionStage<?> onBinary(WebSocket ws, ByteBuffer data, boolean last) {
      byte[] part = new byte[data.remaining()];
      data.get(part);
      bytes.writeBytes(part);
      if (last) {
        byte[] whole = bytes.toByteArray();
        bytes.reset();
        send(x -> ws.sendBinary(ByteBuffer.wrap(whole), true));
      }
      ws.request(1);
      return null;
    }

    public CompletionStage<?> onClose(WebSocket ws, int code, String reason) {
      end.complete(Main.ended(code, reason));
      return null;
    }

    public void onError(WebSocket ws, Throwable why) {
      end.complete(Main.ended(1006, ""));
    }
  }
}
