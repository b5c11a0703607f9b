"""What the programs here share: the arguments, and the lines that they print."""

import importlib.metadata
import json
import ssl
import sys

LIMIT = 17 << 20


def say(**what):
    print(json.dumps(what), flush=True)


def client_tls(cafile):
    return ssl.create_default_context(cafile=cafile)


def server_tls(certfile, keyfile):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certfile, keyfile)
    return context


def command(text):
    """Return ("close", code, reason) or ("send", bytes) for a text that is a command, else None."""
    name, _, rest = text.partition(" ")
    if name == "!close":
        code, _, reason = rest.partition(" ")
        return "close", int(code), reason
    if name == "!send":
        return "send", bytes(int(rest))
    return None


def run(package, client=None, server=None):
    """client(url, cafile) returns the end of a connection as a dictionary; server(port, certfile, keyfile) serves."""
    mode, *args = sys.argv[1:]
    if mode == "version":
        print(importlib.metadata.version(package))
    elif mode == "client":
        cafile, *urls = args
        for url in urls:
            try:
                say(**client(url, cafile))
            except Exception as why:
                say(failed=f"{type(why).__name__}: {why}")
    else:
        port, certfile, keyfile = args
        server(int(port), certfile, keyfile)
