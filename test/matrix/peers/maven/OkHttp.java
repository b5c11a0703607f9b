import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.X509TrustManager;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import okio.ByteString;

/** OkHttp, a client only. */
public class OkHttp implements Main.Peer {
  public String version() {
    return Main.versionOf("com.squareup.okhttp3", "okhttp-jvm");
  }

  public void client(String url, Main.Tls tls, CompletableFuture<String> end) {
    OkHttpClient client =
        new OkHttpClient.Builder().sslSocketFactory(tls.context().getSocketFactory(), (X509TrustManager) tls.trust()[0]).build();
    Request request = new Request.Builder().url(url).header("Sec-WebSocket-Protocol", "unknown, echo").build();
    AtomicBoolean opened = new AtomicBoolean();
    client.newWebSocket(request, new WebSocketListener() {
      public void onOpen(WebSocket ws, Response response) {
        opened.set(true);
      }

      public void onMessage(WebSocket ws, String text) {
        Main.Command c = Main.Command.of(text);
        if (c == null) {
          ws.send(text);
        } else if (c.send() == null) {
          ws.close(c.code(), c.reason());
        } else {
          ws.send(ByteString.of(c.send()));
        }
      }

      public void onMessage(WebSocket ws, ByteString bytes) {
        ws.send(bytes);
      }

      public void onClosing(WebSocket ws, int code, String reason) {
        ws.close(code == 1005 ? 1000 : code, reason);
      }

      public void onClosed(WebSocket ws, int code, String reason) {
        end.complete(Main.ended(code, reason));
      }

      public void onFailure(WebSocket ws, Throwable why, Response response) {
        if (opened.get()) {
          end.complete(Main.ended(1006, ""));
        } else {
          end.completeExceptionally(why);
        }
      }
    });
  }
}
