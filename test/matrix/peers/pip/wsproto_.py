import asyncio
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, RejectConnection, Request, TextMessage
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from common import client_tls, command, run, say, server_tls


def answer(event, whole):
    do = command(whole) if isinstance(whole, str) else None
    if do is None:
        return type(event)(data=whole)
    if do[0] == "close":
        return CloseConnection(code=do[1], reason=do[2])
    return BytesMessage(data=do[1])


async def serve(ws, reader, writer):
    """Serve a connection, and return how it ended."""
    kind, parts = None, []
    while True:
        data = await reader.read(1 << 16)
        try:
            ws.receive_data(data or None)
            events = list(ws.events())
        except RemoteProtocolError:
            return {"closed": 1006}
        for event in events:
            if isinstance(event, Request):
                protocol = "echo" if "echo" in event.subprotocols else None
                writer.write(ws.send(AcceptConnection(subprotocol=protocol, extensions=[PerMessageDeflate()])))
            elif isinstance(event, RejectConnection):
                raise ConnectionError(f"refused with {event.status_code}")
            elif isinstance(event, (TextMessage, BytesMessage)):
                parts.append(event.data)
                if not event.message_finished:
                    continue
                whole = ("" if isinstance(event, TextMessage) else b"").join(parts)
                parts.clear()
                try:
                    writer.write(ws.send(answer(event, whole)))
                except LocalProtocolError:
                    pass  # the peer's close frame is behind it
            elif isinstance(event, Ping):
                writer.write(ws.send(event.response()))
            elif isinstance(event, CloseConnection):
                if data:
                    try:
                        writer.write(ws.send(event.response()))
                    except LocalProtocolError:
                        pass  # it answers ours
                    await writer.drain()
                return {"closed": event.code, "reason": event.reason or ""}
        if not data:
            return {"closed": 1006}
        await writer.drain()


async def end(writer):
    writer.close()
    try:
        await writer.wait_closed()
    except Exception:
        pass


def client(url, cafile):
    async def main():
        at = urlsplit(url)
        reader, writer = await asyncio.open_connection(at.hostname, at.port, ssl=client_tls(cafile))
        ws = WSConnection(ConnectionType.CLIENT)
        writer.write(
            ws.send(
                Request(host=at.netloc, target=at.path, subprotocols=["unknown", "echo"], extensions=[PerMessageDeflate()])
            )
        )
        try:
            return await serve(ws, reader, writer)
        except ConnectionResetError:
            return {"closed": 1006}
        finally:
            await end(writer)

    return asyncio.run(main())


def server(port, certfile, keyfile):
    async def handle(reader, writer):
        try:
            what = await serve(WSConnection(ConnectionType.SERVER), reader, writer)
        except ConnectionError:
            what = {"closed": 1006}
        await end(writer)
        say(**what)

    async def main():
        await asyncio.start_server(handle, "127.0.0.1", port, ssl=server_tls(certfile, keyfile))
        say(listening=port)
        await asyncio.Future()

    asyncio.run(main())


run("wsproto", client, server)
