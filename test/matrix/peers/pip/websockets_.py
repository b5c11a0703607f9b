import asyncio

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from common import LIMIT, client_tls, command, run, say, server_tls


async def echo(ws):
    """Serve a connection, and return how it ended."""
    try:
        async for message in ws:
            do = command(message) if isinstance(message, str) else None
            if do is None:
                await ws.send(message)
            elif do[0] == "close":
                await ws.close(*do[1:])
            else:
                await ws.send(do[1])
    except ConnectionClosed:
        pass
    return {"closed": ws.close_code, "reason": ws.close_reason or ""}


def client(url, cafile):
    async def main():
        async with connect(
            url, ssl=client_tls(cafile), subprotocols=["unknown", "echo"], max_size=LIMIT, proxy=None, ping_interval=None
        ) as ws:
            return await echo(ws)

    return asyncio.run(main())


def server(port, certfile, keyfile):
    async def handle(ws):
        say(**await echo(ws))

    async def main():
        async with serve(
            handle, "127.0.0.1", port, ssl=server_tls(certfile, keyfile), subprotocols=["echo"], max_size=LIMIT, ping_interval=None
        ):
            say(listening=port)
            await asyncio.Future()

    asyncio.run(main())


run("websockets", client, server)
