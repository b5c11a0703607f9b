"""An ASGI application under hypercorn or uvicorn, by PEER."""

import asyncio
import os
import socket
import threading
import time

from common import LIMIT, command, run, say

PEER = os.environ["PEER"]


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
    await send({"type": "websocket.accept", "subprotocol": "echo" if "echo" in scope["subprotocols"] else None})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            what = {"closed": message.get("code", 1005)}
            if message.get("reason") is not None:
                what["reason"] = message["reason"]
            say(**what)
            return
        text, data = message.get("text"), message.get("bytes")
        do = command(text) if text is not None else None
        try:
            if do is None:
                await send({"type": "websocket.send"} | ({"text": text} if text is not None else {"bytes": data}))
            elif do[0] == "close":
                await send({"type": "websocket.close", "code": do[1], "reason": do[2]})
                say(closed=do[1])
                return
            else:
                await send({"type": "websocket.send", "bytes": do[1]})
        except Exception:
            pass  # the end follows


def say_when_it_listens(port):
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.05)
    say(listening=port)


def server(port, certfile, keyfile):
    threading.Thread(target=say_when_it_listens, args=(port,), daemon=True).start()
    if PEER == "hypercorn":
        from hypercorn.asyncio import serve
        from hypercorn.config import Config

        config = Config()
        config.bind = [f"127.0.0.1:{port}"]
        config.certfile, config.keyfile = certfile, keyfile
        config.websocket_max_message_size = LIMIT
        config.loglevel = "ERROR"
        asyncio.run(serve(application, config))
    else:
        import uvicorn

        uvicorn.run(
            application,
            host="127.0.0.1",
            port=port,
            ssl_certfile=certfile,
            ssl_keyfile=keyfile,
            ws=os.environ["WS"],
            ws_max_size=LIMIT,
            ws_ping_interval=None,
            log_level="error",
        )


run(PEER, server=server)
