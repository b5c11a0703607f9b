// What the C++ programs here share: the lines that they print, and the commands.
#pragma once
#include <iostream>
#include <mutex>
#include <string>

const std::size_t limit = 17 << 20;

inline void say(const std::string &line) {
  static std::mutex one;
  std::lock_guard<std::mutex> lock(one);
  std::cout << line << std::endl;
}

inline std::string quote(const std::string &s) {
  std::string out = "\"";
  for (unsigned char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    if (c >= 32) out += static_cast<char>(c);
  }
  return out + "\"";
}

inline void ended(int code, const std::string &reason) {
  say("{\"closed\": " + std::to_string(code) + ", \"reason\": " + quote(reason) + "}");
}

inline void failed(const std::string &why) { say("{\"failed\": " + quote(why) + "}"); }

// Command is what a text that begins with "!" asks for.
struct Command {
  enum { none, close, send } kind = none;
  int code = 0;
  std::string reason;
  std::size_t size = 0;
};

inline Command command(const std::string &text) {
  Command c;
  if (text.rfind("!close ", 0) == 0) {
    std::size_t space = text.find(' ', 7);
    c.kind = Command::close;
    c.code = std::stoi(text.substr(7, space - 7));
    c.reason = text.substr(space + 1);
  } else if (text.rfind("!send ", 0) == 0) {
    c.kind = Command::send;
    c.size = std::stoul(text.substr(6));
  }
  return c;
}

// Url is a wss URL.
struct Url {
  std::string host, port, path;
};

inline Url parse(const std::string &url) {
  std::size_t host = url.find("://") + 3, colon = url.find(':', host), slash = url.find('/', host);
  return {url.substr(host, colon - host), url.substr(colon + 1, slash - colon - 1), url.substr(slash)};
}
