import io.undertow.Undertow;
import io.undertow.websockets.WebSocketConnectionCallback;
import io.undertow.websockets.WebSocketProtocolHandshakeHandler;
import io.undertow.websockets.core.AbstractReceiveListener;
import io.undertow.websockets.core.BufferedBinaryMessage;
import io.undertow.websockets.core.BufferedTextMessage;
import io.undertow.websockets.core.CloseMessage;
import io.undertow.websockets.core.WebSocketChannel;
import io.undertow.websockets.core.WebSockets;
import io.undertow.websockets.core.protocol.Handshake;
import io.undertow.websockets.core.protocol.version13.Hybi13Handshake;
import io.undertow.websockets.extensions.PerMessageDeflateHandshake;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Set;

/** Undertow, a server only. */
public class Undertow_ implements Main.Peer {
  public String version() {
    return Main.versionOf("io.undertow", "undertow-core");
  }

  public void server(int port, Main.Tls tls) {
    Handshake handshake = new Hybi13Handshake(Set.of("echo"), true);
    WebSocketProtocolHandshakeHandler handler = new WebSocketProtocolHandshakeHandler(Set.of(handshake), (WebSocketConnectionCallback) (exchange, channel) -> {
      channel.getReceiveSetter().set(new Echo());
      channel.addCloseTask(c -> Main.say(Main.ended(c.getCloseCode() < 0 ? 1006 : c.getCloseCode(), c.getCloseReason())));
      channel.resumeReceives();
    });
    handler.addExtension(new PerMessageDeflateHandshake(false, PerMessageDeflateHandshake.DEFAULT_DEFLATER, true, true, Main.LIMIT));
    Undertow.builder().addHttpsListener(port, "127.0.0.1", tls.context()).setHandler(handler).build().start();
  }

  static class Echo extends AbstractReceiveListener {
    protected long getMaxTextBufferSize() {
      return Main.LIMIT;
    }

    protected long getMaxBinaryBufferSize() {
      return Main.LIMIT;
    }

    protected void onFullTextMessage(WebSocketChannel channel, BufferedTextMessage message) {
      String text = message.getData(); // it can be read once
      Main.Command c = Main.Command.of(text);
      if (c == null) {
        WebSockets.sendText(text, channel, null);
      } else if (c.send() == null) {
        WebSockets.sendClose(new CloseMessage(c.code(), c.reason()), channel, null);
      } else {
        WebSockets.sendBinary(ByteBuffer.wrap(c.send()), channel, null);
      }
    }

    protected void onFullBinaryMessage(WebSocketChannel channel, BufferedBinaryMessage message) throws IOException {
      ByteBuffer all = WebSockets.mergeBuffers(message.getData().getResource());
      message.getData().free();
      WebSockets.sendBinary(all, channel, null);
    }
  }
}
