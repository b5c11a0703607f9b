import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** The peers' programs: Main PEER version | client CAFILE URL... | server PORT CERTFILE KEYFILE. */
public class Main {
  static final int LIMIT = 17 << 20;

  /** A library as an echo. */
  interface Peer {
    String version();

    /** Connects, and completes end when the connection has ended, or exceptionally if there was none. */
    default void client(String url, Tls tls, CompletableFuture<String> end) throws Exception {
      throw new UnsupportedOperationException();
    }

    default void server(int port, Tls tls) throws Exception {
      throw new UnsupportedOperationException();
    }
  }

  /** What a library may want of TLS. */
  record Tls(SSLContext context, TrustManager[] trust, Path cert, Path key) {}

  /** A text that begins with "!". */
  record Command(int code, String reason, byte[] send) {
    static Command of(String text) {
      if (text.startsWith("!close ")) {
        String[] parts = text.split(" ", 3);
        return new Command(Integer.parseInt(parts[1]), parts[2], null);
      }
      if (text.startsWith("!send ")) {
        return new Command(0, null, new byte[Integer.parseInt(text.substring(6))]);
      }
      return null;
    }
  }

  static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  static String quote(String s) {
    StringBuilder b = new StringBuilder("\"");
    for (char c : s.toCharArray()) {
      if (c == '"' || c == '\\' || c < 32 || c > 126) {
        b.append(String.format("\\u%04x", (int) c));
      } else {
        b.append(c);
      }
    }
    return b.append('"').toString();
  }

  static String ended(int code, String reason) {
    return "{\"closed\": " + code + ", \"reason\": " + quote(reason == null ? "" : reason) + "}";
  }

  static String versionOf(String group, String artifact) {
    for (String entry : System.getProperty("java.class.path").split(":")) {
      String name = Path.of(entry).getFileName().toString();
      if (name.startsWith(artifact + "-")) {
        return name.substring(artifact.length() + 1, name.length() - ".jar".length());
      }
    }
    return "unknown";
  }

  public static void main(String[] args) throws Exception {
    Logger.getLogger("").setLevel(Level.SEVERE);
    Peer peer = (Peer) Class.forName(args[0]).getDeclaredConstructor().newInstance();
    switch (args[1]) {
      case "version" -> System.out.println(peer.version());
      case "client" -> {
        Tls tls = trusting(Path.of(args[2]));
        for (int i = 3; i < args.length; i++) {
          CompletableFuture<String> end = new CompletableFuture<>();
          try {
            peer.client(args[i], tls, end);
            say(end.get(60, TimeUnit.SECONDS));
          } catch (ExecutionException e) {
            say("{\"failed\": " + quote(String.valueOf(e.getCause())) + "}");
          } catch (Exception e) {
            say("{\"failed\": " + quote(String.valueOf(e)) + "}");
          }
        }
        System.exit(0);
      }
      default -> {
        int port = Integer.parseInt(args[2]);
        peer.server(port, serving(Path.of(args[3]), Path.of(args[4])));
        say("{\"listening\": " + port + "}");
      }
    }
  }

  static Tls trusting(Path caFile) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    store.setCertificateEntry("ca", certificates(caFile)[0]);
    TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return new Tls(context, trust.getTrustManagers(), caFile, null);
  }

  static Tls serving(Path certFile, Path keyFile) throws Exception {
    String pem = Files.readString(keyFile);
    String body = pem.replaceAll("(?s).*-----BEGIN PRIVATE KEY-----(.*?)-----END PRIVATE KEY-----.*", "$1").replaceAll("\\s", "");
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    store.setKeyEntry(
        "key",
        KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(body))),
        new char[0],
        certificates(certFile));
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, new char[0]);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    return new Tls(context, null, certFile, keyFile);
  }

  static Certificate[] certificates(Path file) throws Exception {
    StringBuilder certs = new StringBuilder();
    boolean in = false;
    for (String line : Files.readAllLines(file)) {
      in |= line.startsWith("-----BEGIN CERTIFICATE");
      if (in) {
        certs.append(line).append('\n');
      }
      in &= !line.startsWith("-----END CERTIFICATE");
    }
    return CertificateFactory.getInstance("X.509")
        .generateCertificates(new ByteArrayInputStream(certs.toString().getBytes()))
        .toArray(new Certificate[0]);
  }
}
