import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import io.netty.handler.codec.http.websocketx.extensions.compression.WebSocketClientCompressionHandler;
import io.netty.handler.codec.http.websocketx.extensions.compression.WebSocketServerCompressionHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.net.URI;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

public class Netty implements Main.Peer {
  private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());

  public String version() {
    return Main.versionOf("io.netty", "netty-codec-http");
  }

  public void client(String url, Main.Tls tls, CompletableFuture<String> end) throws Exception {
    URI at = URI.create(url);
    SslContext ssl = SslContextBuilder.forClient().trustManager(tls.cert().toFile()).endpointIdentificationAlgorithm("HTTPS").build();
    WebSocketClientProtocolConfig config = WebSocketClientProtocolConfig.newBuilder()
        .webSocketUri(at).subprotocol("unknown,echo").allowExtensions(true).maxFramePayloadLength(Main.LIMIT).handleCloseFrames(false).build();
    new Bootstrap().group(group).channel(NioSocketChannel.class).handler(new ChannelInitializer<SocketChannel>() {
      protected void initChannel(SocketChannel ch) {
        ch.pipeline().addLast(
            ssl.newHandler(ch.alloc(), at.getHost(), at.getPort()),
            new HttpClientCodec(),
            new HttpObjectAggregator(1 << 16),
            new WebSocketClientCompressionHandler(0),
            new WebSocketClientProtocolHandler(config),
            new WebSocketFrameAggregator(Main.LIMIT),
            new Echo(end::complete, end::completeExceptionally));
      }
    }).connect(at.getHost(), at.getPort()).addListener(f -> {
      if (!f.isSuccess()) {
        end.completeExceptionally(f.cause());
      }
    });
  }

  public void server(int port, Main.Tls tls) throws Exception {
    SslContext ssl = SslContextBuilder.forServer(tls.cert().toFile(), tls.key().toFile()).build();
    WebSocketServerProtocolConfig config = WebSocketServerProtocolConfig.newBuilder()
        .websocketPath("/").checkStartsWith(true).subprotocols("echo").handleCloseFrames(false)
        .decoderConfig(WebSocketDecoderConfig.newBuilder().allowExtensions(true).maxFramePayloadLength(Main.LIMIT).build()).build();
    new ServerBootstrap().group(group).channel(NioServerSocketChannel.class).childHandler(new ChannelInitializer<SocketChannel>() {
      protected void initChannel(SocketChannel ch) {
        ch.pipeline().addLast(
            ssl.newHandler(ch.alloc()),
            new HttpServerCodec(),
            new HttpObjectAggregator(1 << 16),
            new WebSocketServerCompressionHandler(0),
            new WebSocketServerProtocolHandler(config),
            new WebSocketFrameAggregator(Main.LIMIT),
            new Echo(Main::say, why -> {}));
      }
    }).bind("127.0.0.1", port).sync();
  }

  static class Echo extends SimpleChannelInboundHandler<WebSocketFrame> {
    final Consumer<String> ended;
    final Consumer<Throwable> failed;
    boolean opened;
    String end = Main.ended(1006, "");

    Echo(Consumer<String> ended, Consumer<Throwable> failed) {
      this.ended = ended;
      this.failed = failed;
    }

    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
      if (event instanceof WebSocketServerProtocolHandler.HandshakeComplete
          || event == WebSocketClientProtocolHandler.ClientHandshakeStateEvent.HANDSHAKE_COMPLETE) {
        opened = true;
      }
    }

    protected void channelRead0(ChannelHandlerContext ctx, WebSocketFrame frame) {
      if (frame instanceof CloseWebSocketFrame close) {
        end = Main.ended(close.statusCode() < 0 ? 1005 : close.statusCode(), close.reasonText());
        ctx.writeAndFlush(close.retain()).addListener(ChannelFutureListener.CLOSE);
      } else if (frame instanceof TextWebSocketFrame text) {
        Main.Command c = Main.Command.of(text.text());
        if (c == null) {
          ctx.writeAndFlush(frame.retain());
        } else if (c.send() == null) {
          ctx.writeAndFlush(new CloseWebSocketFrame(c.code(), c.reason()));
        } else {
          ctx.writeAndFlush(new BinaryWebSocketFrame(Unpooled.wrappedBuffer(c.send())));
        }
      } else if (frame instanceof BinaryWebSocketFrame) {
        ctx.writeAndFlush(frame.retain());
      }
    }

    public void exceptionCaught(ChannelHandlerContext ctx, Throwable why) {
      if (!opened) {
        failed.accept(why);
      }
      ctx.close();
    }

    public void channelInactive(ChannelHandlerContext ctx) {
      if (opened) {
        ended.accept(end);
      } else {
        failed.accept(new java.io.IOException("closed before it was open"));
      }
    }
  }
}
