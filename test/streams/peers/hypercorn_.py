"""An ASGI application that echoes, under hypercorn over TLS. Its argument is a file with a certificate and its key."""

import asyncio
import json
import socket
import sys
import threading
import time

from hypercorn.asyncio import serve
from hypercorn.config import Config


def say(**what):
    print(json.dumps(what), flush=True)


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["type"] != "websocket":
        return
    await receive()
    if scope["path"] != "/echo":
        await send({"type": "websocket.close"})  # before it was accepted: 403
        return
    await send({"type": "websocket.accept", "subprotocol": "echo" if "echo" in scope["subprotocols"] else None})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            name = scope["query_string"].decode().removeprefix("id=")
            say(id=name, code=message.get("code", 1005), reason=message.get("reason") or "")
            return
        text, data = message.get("text"), message.get("bytes")
        words = (text or "").split(" ", 2)
        if words[0] == "close":
            await send({"type": "websocket.close", "code": int(words[1]), "reason": words[2]})
            return
        await send({"type": "websocket.send"} | ({"text": text} if text is not None else {"bytes": data}))


def say_when_it_listens(port):
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.05)
    say(listening=port)


def main():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    threading.Thread(target=say_when_it_listens, args=(port,), daemon=True).start()
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.certfile = config.keyfile = sys.argv[1]
    config.websocket_max_message_size = 32 << 20
    config.h2_max_concurrent_streams = 200
    config.loglevel = "ERROR"
    asyncio.run(serve(application, config))


main()
