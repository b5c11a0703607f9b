import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.websocket.CloseReason;
import jakarta.websocket.DeploymentException;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.Session;
import jakarta.websocket.server.ServerContainer;
import jakarta.websocket.server.ServerEndpointConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.List;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.net.SSLHostConfig;
import org.apache.tomcat.util.net.SSLHostConfigCertificate;
import org.apache.tomcat.websocket.server.WsContextListener;

/** Tomcat, a server only. */
public class Tomcat_ implements Main.Peer {
  public String version() {
    return Main.versionOf("org.apache.tomcat.embed", "tomcat-embed-websocket");
  }

  public void server(int port, Main.Tls tls) throws Exception {
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(Files.createTempDirectory("tomcat").toString());
    Connector connector = new Connector();
    connector.setPort(port);
    connector.setProperty("address", "127.0.0.1");
    connector.setSecure(true);
    connector.setScheme("https");
    connector.setProperty("SSLEnabled", "true");
    SSLHostConfig host = new SSLHostConfig();
    SSLHostConfigCertificate certificate = new SSLHostConfigCertificate(host, SSLHostConfigCertificate.Type.EC);
    certificate.setCertificateFile(tls.cert().toString());
    certificate.setCertificateKeyFile(tls.key().toString());
    host.addCertificate(certificate);
    connector.addSslHostConfig(host);
    tomcat.getService().addConnector(connector);
    tomcat.setConnector(connector);
    Context context = tomcat.addContext("", null);
    context.addApplicationListener(WsContextListener.class.getName());
    context.addApplicationListener(Deploy.class.getName());
    Tomcat.addServlet(context, "default", new org.apache.catalina.servlets.DefaultServlet());
    context.addServletMappingDecoded("/", "default");
    tomcat.start();
  }

  public static class Deploy implements ServletContextListener {
    public void contextInitialized(ServletContextEvent event) {
      ServerContainer container = (ServerContainer) event.getServletContext().getAttribute(ServerContainer.class.getName());
      try {
        container.addEndpoint(ServerEndpointConfig.Builder.create(Echo.class, "/{n}").subprotocols(List.of("echo")).build());
      } catch (DeploymentException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  public static class Echo extends Endpoint {
    public void onOpen(Session session, EndpointConfig config) {
      session.setMaxTextMessageBufferSize(Main.LIMIT);
      session.setMaxBinaryMessageBufferSize(Main.LIMIT);
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
      Main.say(Main.ended(why.getCloseCode().getCode(), why.getReasonPhrase()));
    }

    public void onError(Session session, Throwable why) {}
  }
}
