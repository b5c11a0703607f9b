"""Serve WebSocket over TLS with websockets, compressed as a plan says for each port.

python_compression_server.py CERTFILE PLANFILE
"""

import asyncio
import json
import ssl
import sys
from pathlib import Path

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosedOK
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

CERT, PLAN = sys.argv[1:]


def say(**what):
    print(json.dumps(what), flush=True)


def handler(link):
    async def handle(ws):
        outcome = {
            "connection": link["id"],
            "extensions": ws.response.headers.get("Sec-WebSocket-Extensions", ""),
            "messages": 0,
            "error": "",
        }
        try:
            while True:
                message = await ws.recv()
                outcome["messages"] += 1
                await ws.send(message)
        except ConnectionClosedOK:
            pass
        except Exception as why:
            outcome["error"] = f"{type(why).__name__}: {why}"
        say(**outcome)

    return handle


async def listen(tls, link):
    """Listen for one link, and return the port: 0 if the library cannot have it."""
    theirs = link["theirs"]
    try:
        extension = ServerPerMessageDeflateFactory(
            server_no_context_takeover=theirs["serverAlone"],
            client_no_context_takeover=theirs["clientAlone"],
            server_max_window_bits=theirs["serverBits"] or None,
            client_max_window_bits=theirs["clientBits"] or None,
        )
    except ValueError as why:
        say(connection=link["id"], cannot=str(why))
        return None
    return await serve(
        handler(link), "127.0.0.1", 0, ssl=tls, extensions=[extension], compression=None, max_size=1 << 20
    )


async def main():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERT)
    servers = [await listen(tls, link) for link in json.loads(Path(PLAN).read_text())["links"]]
    say(listening=[server.sockets[0].getsockname()[1] if server else 0 for server in servers])
    await asyncio.get_running_loop().create_future()


asyncio.run(main())
