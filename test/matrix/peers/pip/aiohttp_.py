import asyncio

import aiohttp
from aiohttp import web

from common import LIMIT, client_tls, command, run, say, server_tls


async def echo(ws):
    async for message in ws:
        if message.type == aiohttp.WSMsgType.TEXT:
            do = command(message.data)
            if do is None:
                await ws.send_str(message.data)
            elif do[0] == "close":
                await ws.close(code=do[1], message=do[2].encode())
            else:
                await ws.send_bytes(do[1])
        elif message.type == aiohttp.WSMsgType.BINARY:
            await ws.send_bytes(message.data)
    return {"closed": ws.close_code or 1006}


def client(url, cafile):
    async def main():
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(
                url, ssl=client_tls(cafile), protocols=["unknown", "echo"], max_msg_size=LIMIT, compress=15
            ) as ws:
                return await echo(ws)

    return asyncio.run(main())


def server(port, certfile, keyfile):
    async def handle(request):
        ws = web.WebSocketResponse(protocols=["echo"], max_msg_size=LIMIT)
        await ws.prepare(request)
        say(**await echo(ws))
        return ws

    async def main():
        app = web.Application()
        app.router.add_get("/{path:.*}", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=server_tls(certfile, keyfile)).start()
        say(listening=port)
        await asyncio.Future()

    asyncio.run(main())


run("aiohttp", client, server)
