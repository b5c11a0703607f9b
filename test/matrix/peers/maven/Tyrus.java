import jakarta.websocket.ClientEndpointConfig;
import jakarta.websocket.CloseReason;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.Session;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.glassfish.tyrus.client.ClientManager;
import org.glassfish.tyrus.client.ClientProperties;
import org.glassfish.tyrus.client.SslEngineConfigurator;

/** Tyrus, as a client. */
public class Tyrus implements Main.Peer {
  public String version() {
    return Main.versionOf("org.glassfish.tyrus", "tyrus-client");
  }

  public void client(String url, Main.Tls tls, CompletableFuture<String> end) throws Exception {
    ClientManager client = ClientManager.createClient();
    client.getProperties().put(ClientProperties.SSL_ENGINE_CONFIGURATOR, new SslEngineConfigurator(tls.context(), true, false, false));
    client.getProperties().put(ClientProperties.INCOMING_BUFFER_SIZE, 2 * Main.LIMIT);
    client.setDefaultMaxTextMessageBufferSize(Main.LIMIT);
    client.setDefaultMaxBinaryMessageBufferSize(Main.LIMIT);
    ClientEndpointConfig config = ClientEndpointConfig.Builder.create().preferredSubprotocols(List.of("unknown", "echo")).build();
    client.connectToServer(new Echo(end), config, URI.create(url));
  }

  static class Echo extends Endpoint {
    final CompletableFuture<String> end;

    Echo(CompletableFuture<String> end) {
      this.end = end;
    }

    public void onOpen(Session session, EndpointConfig config) {
      session.addMessageHandler(String.class, (MessageHandler.Whole<String>) text -> {
        try {
          Main.Command c = Main.Command.of(text);
          if (c == null) {
            session.getBasicRemote().sendText(text);
          } else if (c.send() == null) {
            session.close(new CloseReason(CloseReason.CloseCodes.getCloseCode(c.code()), c.reason()));
          } else {
            session.getBasicRemote().sendBinary(ByteBuffer.wrap(c.send()));
          }
        } catch (IOException | IllegalStateException e) {
          // the end follows
        }
      });
      session.addMessageHandler(ByteBuffer.class, (MessageHandler.Whole<ByteBuffer>) data -> {
        try {
          session.getBasicRemote().sendBinary(data);
        } catch (IOException | IllegalStateException e) {
          // the end follows
        }
      });
    }

    public void onClose(Session session, CloseReason why) {
      end.complete(Main.ended(why.getCloseCode().getCode(), why.getReasonPhrase()));
    }
  }
}
