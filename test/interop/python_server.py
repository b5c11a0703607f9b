"""Serve WebSocket over TLS with websockets; the path says what it does with messages.

python_server.py CERTFILE
"""

import asyncio
import json
import ssl
import sys
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


def say(**what):
    print(json.dumps(what, ensure_ascii=False), flush=True)


async def behave(ws, path, query):
    if path == "/echo":
        async for message in ws:
            await ws.send(message)
    elif path == "/stream":
        async for message in ws:
            await ws.send([message[at : at + 1000] for at in range(0, len(message), 1000)])
    elif path == "/ping":
        await ws.recv()
        await (await ws.ping(b"payload"))
        await ws.send("answered")
        await ws.wait_closed()
    elif path == "/close":
        await ws.recv()
        await ws.close(int(query["code"]), query["reason"])


async def handle(ws):
    target = urlsplit(ws.request.path)
    query = {name: values[0] for name, values in parse_qs(target.query).items()}
    try:
        await behave(ws, target.path, query)
    except ConnectionClosed:
        pass
    await ws.wait_closed()
    say(closed=query.get("id", ""), code=ws.close_code, reason=ws.close_reason)


async def main():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[1])
    async with serve(handle, "127.0.0.1", 0, ssl=tls, subprotocols=["echo"], max_size=1 << 20) as server:
        say(listening=server.sockets[0].getsockname()[1])
        await server.serve_forever()


asyncio.run(main())
