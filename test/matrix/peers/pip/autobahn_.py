import asyncio
from urllib.parse import urlsplit

from autobahn.asyncio.websocket import (
    WebSocketClientFactory,
    WebSocketClientProtocol,
    WebSocketServerFactory,
    WebSocketServerProtocol,
)
from autobahn.websocket.compress import (
    PerMessageDeflateOffer,
    PerMessageDeflateOfferAccept,
    PerMessageDeflateResponse,
    PerMessageDeflateResponseAccept,
)

from common import LIMIT, client_tls, command, run, say, server_tls


class Echo:
    ended = None

    def onMessage(self, payload, isBinary):
        do = None if isBinary else command(payload.decode())
        if do is None:
            self.sendMessage(payload, isBinary)
        elif do[0] == "close":
            self.sendClose(*do[1:])
        else:
            self.sendMessage(do[1], True)

    def onClose(self, wasClean, code, reason):
        # The code and reason that were received, if any.
        if self.remoteCloseCode:
            code, reason = self.remoteCloseCode, self.remoteCloseReason
        self.factory.ended({"closed": code or 1006, "reason": reason or ""})


class Client(Echo, WebSocketClientProtocol):
    pass


class Server(Echo, WebSocketServerProtocol):
    def onConnect(self, request):
        return "echo" if "echo" in request.protocols else None


def client(url, cafile):
    async def main():
        loop = asyncio.get_running_loop()
        end = loop.create_future()
        factory = WebSocketClientFactory(url, protocols=["unknown", "echo"])
        factory.protocol = Client
        factory.ended = lambda what: end.done() or end.set_result(what)
        factory.setProtocolOptions(
            maxMessagePayloadSize=LIMIT,
            maxFramePayloadSize=LIMIT,
            perMessageCompressionOffers=[PerMessageDeflateOffer()],
            perMessageCompressionAccept=lambda r: PerMessageDeflateResponseAccept(r)
            if isinstance(r, PerMessageDeflateResponse)
            else None,
        )
        at = urlsplit(url)
        await loop.create_connection(factory, at.hostname, at.port, ssl=client_tls(cafile))
        return await end

    return asyncio.run(main())


def server(port, certfile, keyfile):
    async def main():
        factory = WebSocketServerFactory(f"wss://localhost:{port}")
        factory.protocol = Server
        factory.ended = lambda what: say(**what)

        def accept(offers):
            for offer in offers:
                if isinstance(offer, PerMessageDeflateOffer):
                    return PerMessageDeflateOfferAccept(offer)

        factory.setProtocolOptions(maxMessagePayloadSize=LIMIT, maxFramePayloadSize=LIMIT, perMessageCompressionAccept=accept)
        await asyncio.get_running_loop().create_server(factory, "127.0.0.1", port, ssl=server_tls(certfile, keyfile))
        say(listening=port)
        await asyncio.Future()

    asyncio.run(main())


run("autobahn", client, server)
