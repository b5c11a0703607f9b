import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.java_websocket.WebSocket;
import org.java_websocket.client.WebSocketClient;
import org.java_websocket.drafts.Draft_6455;
import org.java_websocket.extensions.permessage_deflate.PerMessageDeflateExtension;
import org.java_websocket.handshake.ClientHandshake;
import org.java_websocket.handshake.ServerHandshake;
import org.java_websocket.protocols.Protocol;
import org.java_websocket.server.DefaultSSLWebSocketServerFactory;
import org.java_websocket.server.WebSocketServer;

public class JavaWebSocket implements Main.Peer {
  public String version() {
    return Main.versionOf("org.java-websocket", "Java-WebSocket");
  }

  static Draft_6455 draft(String... protocols) {
    return new Draft_6455(
        List.of(new PerMessageDeflateExtension()), List.of(protocols).stream().map(p -> new Protocol(p)).map(p -> (org.java_websocket.protocols.IProtocol) p).toList(), Main.LIMIT);
  }

  static void echo(WebSocket ws, String text) {
    Main.Command c = Main.Command.of(text);
    if (c == null) {
      ws.send(text);
    } else if (c.send() == null) {
      ws.close(c.code(), c.reason());
    } else {
      ws.send(c.send());
    }
  }

  public void client(String url, Main.Tls tls, CompletableFuture<String> end) {
    WebSocketClient client = new WebSocketClient(URI.create(url), draft("unknown", "echo")) {
      boolean opened;
      Exception why;

      public void onOpen(ServerHandshake handshake) {
        opened = true;
      }

      public void onMessage(String text) {
        echo(this, text);
      }

      public void onMessage(ByteBuffer data) {
        send(data);
      }

      public void onClose(int code, String reason, boolean remote) {
        if (opened) {
          end.complete(Main.ended(code, reason));
        } else {
          end.completeExceptionally(why != null ? why : new java.io.IOException("closed before it was open: " + reason));
        }
      }

      public void onError(Exception why) {
        this.why = why;
      }
    };
    client.setConnectionLostTimeout(0);
    client.setSocketFactory(tls.context().getSocketFactory());
    client.connect();
  }

  public void server(int port, Main.Tls tls) throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    WebSocketServer server = new WebSocketServer(new InetSocketAddress("127.0.0.1", port), List.of(draft("echo"))) {
      public void onStart() {
        started.countDown();
      }

      public void onOpen(WebSocket ws, ClientHandshake handshake) {}

      public void onMessage(WebSocket ws, String text) {
        echo(ws, text);
      }

      public void onMessage(WebSocket ws, ByteBuffer data) {
        ws.send(data);
      }

      public void onClose(WebSocket ws, int code, String reason, boolean remote) {
        Main.say(Main.ended(code, reason));
      }

      public void onError(WebSocket ws, Exception why) {
        if (ws == null) {
          why.printStackTrace();
          System.exit(1);
        }
      }
    };
    server.setConnectionLostTimeout(0);
    server.setWebSocketFactory(new DefaultSSLWebSocketServerFactory(tls.context()));
    server.start();
    started.await();
  }
}
