import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.transport.HttpClientTransportDynamic;
import org.eclipse.jetty.io.ClientConnector;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Configurable;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.client.ClientUpgradeRequest;
import org.eclipse.jetty.websocket.client.WebSocketClient;
import org.eclipse.jetty.websocket.server.WebSocketUpgradeHandler;

public class Jetty implements Main.Peer {
  private WebSocketClient client;

  public String version() {
    return Main.versionOf("org.eclipse.jetty", "jetty-server");
  }

  static void configure(Configurable c) {
    c.setMaxTextMessageSize(Main.LIMIT);
    c.setMaxBinaryMessageSize(Main.LIMIT);
    c.setMaxFrameSize(Main.LIMIT);
    c.setIdleTimeout(Duration.ofMinutes(1));
  }

  public void client(String url, Main.Tls tls, CompletableFuture<String> end) throws Exception {
    if (client == null) {
      SslContextFactory.Client ssl = new SslContextFactory.Client();
      ssl.setSslContext(tls.context());
      ClientConnector connector = new ClientConnector();
      connector.setSslContextFactory(ssl);
      client = new WebSocketClient(new HttpClient(new HttpClientTransportDynamic(connector)));
      configure(client);
      client.start();
    }
    ClientUpgradeRequest request = new ClientUpgradeRequest(URI.create(url));
    request.setSubProtocols("unknown", "echo");
    request.addExtensions("permessage-deflate");
    client.connect(new Echo(end::complete), request).whenComplete((session, why) -> {
      if (why != null) {
        end.completeExceptionally(why);
      }
    });
  }

  public void server(int port, Main.Tls tls) throws Exception {
    Server server = new Server();
    SslContextFactory.Server ssl = new SslContextFactory.Server();
    ssl.setSslContext(tls.context());
    ServerConnector connector = new ServerConnector(server, ssl);
    connector.setHost("127.0.0.1");
    connector.setPort(port);
    server.addConnector(connector);
    server.setHandler(WebSocketUpgradeHandler.from(server, container -> {
      configure(container);
      container.addMapping("/*", (request, response, callback) -> {
        if (request.getSubProtocols().contains("echo")) {
          response.setAcceptedSubProtocol("echo");
        }
        return new Echo(Main::say);
      });
    }));
    server.start();
  }

  /** It is public because Jetty calls its methods by reflection. */
  public static class Echo implements Session.Listener.AutoDemanding {
    final Consumer<String> ended;
    Session session;

    Echo(Consumer<String> ended) {
      this.ended = ended;
    }

    public void onWebSocketOpen(Session session) {
      this.session = session;
    }

    public void onWebSocketText(String text) {
      Main.Command c = Main.Command.of(text);
      if (c == null) {
        session.sendText(text, Callback.NOOP);
      } else if (c.send() == null) {
        session.close(c.code(), c.reason(), Callback.NOOP);
      } else {
        session.sendBinary(ByteBuffer.wrap(c.send()), Callback.NOOP);
      }
    }

    public void onWebSocketBinary(ByteBuffer payload, Callback callback) {
      byte[] copy = new byte[payload.remaining()];
      payload.get(copy);
      callback.succeed();
      session.sendBinary(ByteBuffer.wrap(copy), Callback.NOOP);
    }

    public void onWebSocketClose(int code, String reason, Callback callback) {
      ended.accept(Main.ended(code, reason));
      callback.succeed();
    }
  }
}
