import asyncio

import tornado.httpclient
import tornado.httpserver
import tornado.web
import tornado.websocket

from common import LIMIT, client_tls, command, run, say, server_tls


async def echo(ws, message):
    do = command(message) if isinstance(message, str) else None
    if do is None:
        await ws.write_message(message, binary=isinstance(message, bytes))
    elif do[0] == "close":
        ws.close(*do[1:])
    else:
        await ws.write_message(do[1], binary=True)


def client(url, cafile):
    async def main():
        ws = await tornado.websocket.websocket_connect(
            tornado.httpclient.HTTPRequest(url, ssl_options=client_tls(cafile)),
            subprotocols=["unknown", "echo"],
            max_message_size=LIMIT,
            compression_options={},
        )
        while (message := await ws.read_message()) is not None:
            try:
                await echo(ws, message)
            except tornado.websocket.WebSocketClosedError:
                pass
        return {"closed": ws.close_code or 1006, "reason": ws.close_reason or ""}

    return asyncio.run(main())


class Echo(tornado.websocket.WebSocketHandler):
    def select_subprotocol(self, subprotocols):
        return "echo" if "echo" in subprotocols else None

    def get_compression_options(self):
        return {}

    def check_origin(self, origin):
        return True

    async def on_message(self, message):
        try:
            await echo(self, message)
        except tornado.websocket.WebSocketClosedError:
            pass

    def on_close(self):
        say(closed=self.close_code or 1006, reason=self.close_reason or "")


def server(port, certfile, keyfile):
    async def main():
        app = tornado.web.Application([(r"/.*", Echo)], websocket_max_message_size=LIMIT)
        tornado.httpserver.HTTPServer(app, ssl_options=server_tls(certfile, keyfile)).listen(port, "127.0.0.1")
        say(listening=port)
        await asyncio.Future()

    asyncio.run(main())


run("tornado", client, server)
