// Boost.Beast as an echo, in both roles: see ../README.md.
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/version.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include <iostream>
#include <string>
#include <thread>

#include "common.h"

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
namespace asio = boost::asio;
namespace ssl = asio::ssl;
using tcp = asio::ip::tcp;
using Stream = websocket::stream<beast::ssl_stream<beast::tcp_stream>>;

static void configure(Stream &ws) {
  websocket::permessage_deflate deflate;
  deflate.client_enable = deflate.server_enable = true;
  ws.set_option(deflate);
  ws.read_message_max(limit);
  beast::get_lowest_layer(ws).expires_never();
}

// echo serves a connection, and prints how it ended.
static void echo(Stream &ws) {
  for (;;) {
    beast::flat_buffer buffer;
    beast::error_code why;
    ws.read(buffer, why);
    if (why == websocket::error::closed) {
      ended(ws.reason().code, std::string(ws.reason().reason.data(), ws.reason().reason.size()));
      return;
    }
    if (why) {
      ended(1006, "");
      return;
    }
    std::string data(static_cast<const char *>(buffer.data().data()), buffer.size());
    Command c = ws.got_text() ? command(data) : Command{};
    if (c.kind == Command::close) {
      ws.close(websocket::close_reason(websocket::close_code(c.code), c.reason), why);
      ended(why ? 1006 : c.code, why ? "" : c.reason);
      return;
    }
    if (c.kind == Command::send) {
      ws.binary(true);
      data.assign(c.size, 0);
    } else {
      ws.text(ws.got_text());
    }
    ws.write(asio::buffer(data), why);
  }
}

static void client(asio::io_context &io, const char *ca, const std::string &url) {
  Url at = parse(url);
  ssl::context context(ssl::context::tls_client);
  context.load_verify_file(ca);
  context.set_verify_mode(ssl::verify_peer);
  context.set_verify_callback(ssl::host_name_verification(at.host));
  Stream ws(io, context);
  try {
    tcp::resolver resolver(io);
    SSL_set_tlsext_host_name(ws.next_layer().native_handle(), at.host.c_str());
    beast::get_lowest_layer(ws).connect(resolver.resolve(at.host, at.port));
    ws.next_layer().handshake(ssl::stream_base::client);
    configure(ws);
    ws.set_option(websocket::stream_base::decorator(
        [](websocket::request_type &r) { r.set(http::field::sec_websocket_protocol, "unknown, echo"); }));
    ws.handshake(at.host + ":" + at.port, at.path);
  } catch (const std::exception &why) {
    failed(why.what());
    return;
  }
  echo(ws);
}

static void serve(asio::io_context &io, unsigned short port, const char *cert, const char *key) {
  ssl::context context(ssl::context::tls_server);
  context.use_certificate_chain_file(cert);
  context.use_private_key_file(key, ssl::context::pem);
  tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), port});
  say("{\"listening\": " + std::to_string(port) + "}");
  for (;;) {
    tcp::socket socket(io);
    acceptor.accept(socket);
    std::thread([s = std::move(socket), &context]() mutable {
      Stream ws(std::move(s), context);
      try {
        ws.next_layer().handshake(ssl::stream_base::server);
        configure(ws);
        ws.set_option(websocket::stream_base::decorator(
            [](websocket::response_type &r) { r.set(http::field::sec_websocket_protocol, "echo"); }));
        ws.accept();
      } catch (const std::exception &) {
        return;
      }
      echo(ws);
    }).detach();
  }
}

int main(int argc, char **argv) {
  asio::io_context io;
  std::string mode = argv[1];
  if (mode == "version") {
    std::cout << BOOST_LIB_VERSION << std::endl;
  } else if (mode == "client") {
    for (int i = 3; i < argc; i++) client(io, argv[2], argv[i]);
  } else {
    serve(io, std::stoi(argv[2]), argv[3], argv[4]);
  }
}
