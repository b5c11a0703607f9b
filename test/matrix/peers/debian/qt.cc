// Qt WebSockets as an echo, in both roles: see ../README.md.
#include <QCoreApplication>
#include <QFile>
#include <QSslCertificate>
#include <QSslConfiguration>
#include <QSslKey>
#include <QWebSocket>
#include <QWebSocketHandshakeOptions>
#include <QWebSocketServer>

#include "common.h"

static void configure(QWebSocket *ws) {
  ws->setMaxAllowedIncomingFrameSize(limit);
  ws->setMaxAllowedIncomingMessageSize(limit);
  QObject::connect(ws, &QWebSocket::textMessageReceived, ws, [ws](const QString &text) {
    Command c = command(text.toStdString());
    if (c.kind == Command::close) {
      ws->close(QWebSocketProtocol::CloseCode(c.code), QString::fromStdString(c.reason));
    } else if (c.kind == Command::send) {
      ws->sendBinaryMessage(QByteArray(static_cast<int>(c.size), 0));
    } else {
      ws->sendTextMessage(text);
    }
  });
  QObject::connect(ws, &QWebSocket::binaryMessageReceived, ws, [ws](const QByteArray &data) { ws->sendBinaryMessage(data); });
}

static void sayEnd(QWebSocket *ws) { ended(ws->closeCode(), ws->closeReason().toStdString()); }

// connectTo connects to the URL with a number, and then to the next one.
static void connectTo(QSslConfiguration tls, QStringList urls) {
  if (urls.isEmpty()) {
    QCoreApplication::quit();
    return;
  }
  auto *ws = new QWebSocket;
  ws->setSslConfiguration(tls);
  configure(ws);
  auto *opened = new bool(false);
  QObject::connect(ws, &QWebSocket::connected, ws, [opened] { *opened = true; });
  QUrl url(urls.takeFirst());
  auto *done = new bool(false);
  auto next = [=] {
    if (*done) return;
    *done = true;
    if (*opened) {
      sayEnd(ws);
    } else {
      failed(ws->errorString().toStdString());
    }
    ws->deleteLater();
    connectTo(tls, urls);
  };
  QObject::connect(ws, &QWebSocket::disconnected, ws, next);
  QObject::connect(ws, QOverload<QAbstractSocket::SocketError>::of(&QWebSocket::error), ws, [=](QAbstractSocket::SocketError) {
    if (!*opened) next();
  });
  QWebSocketHandshakeOptions options;
  options.setSubprotocols({"unknown", "echo"});
  ws->open(url, options);
}

int main(int argc, char **argv) {
  QCoreApplication app(argc, argv);
  QString mode = argv[1];
  if (mode == "version") {
    std::cout << qVersion() << std::endl;
    return 0;
  }
  QSslConfiguration tls = QSslConfiguration::defaultConfiguration();
  if (mode == "client") {
    tls.setCaCertificates(QSslCertificate::fromPath(argv[2]));
    connectTo(tls, app.arguments().mid(3));
    return app.exec();
  }
  tls.setLocalCertificateChain(QSslCertificate::fromPath(argv[3]));
  QFile key(argv[4]);
  key.open(QIODevice::ReadOnly);
  tls.setPrivateKey(QSslKey(&key, QSsl::Ec));
  QWebSocketServer server("echo", QWebSocketServer::SecureMode);
  server.setSslConfiguration(tls);
  server.setSupportedSubprotocols({"echo"});
  QObject::connect(&server, &QWebSocketServer::newConnection, &server, [&server] {
    QWebSocket *ws = server.nextPendingConnection();
    configure(ws);
    QObject::connect(ws, &QWebSocket::disconnected, ws, [ws] {
      sayEnd(ws);
      ws->deleteLater();
    });
  });
  if (!server.listen(QHostAddress("127.0.0.1"), std::stoi(argv[2]))) return 1;
  ::say("{\"listening\": " + std::string(argv[2]) + "}");
  return app.exec();
}
