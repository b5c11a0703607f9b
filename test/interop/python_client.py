"""Check a WebSocket server over TLS with websockets, one line of JSON a check.

python_client.py URL CAFILE
"""

import asyncio
import json
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

URL, CA = sys.argv[1:]
SIZES = [1, 125, 126, 65535, 65536, 1 << 20]
PIPELINED = 500

checks = []


def check(name):
    """Add the decorated coroutine function to the checks."""

    def add(function):
        checks.append((name, function))
        return function

    return add


def dial(path, cafile=CA, **options):
    return connect(
        URL + path,
        ssl=ssl.create_default_context(cafile=cafile),
        subprotocols=["unknown", "echo"],
        max_size=None,
        proxy=None,
        **options,
    )


def expect(got, want, what):
    if got != want or type(got) is not type(want):
        raise AssertionError(f"{what}: got {got!r:.80}, want {want!r:.80}")


async def echoes(messages, path="/echo"):
    async with dial(path) as ws:
        for message in messages:
            await ws.send(message)
            expect(await ws.recv(), message, "echo")


async def close_seen(ws):
    """Receive until the connection is closed, and return the code and reason received."""
    try:
        while True:
            await ws.recv()
    except ConnectionClosed as closed:
        if closed.rcvd is None:
            raise AssertionError("no close frame received") from closed
        return closed.rcvd.code, closed.rcvd.reason


@check("subprotocol")
async def _():
    async with dial("/echo") as ws:
        expect(ws.subprotocol, "echo", "subprotocol")


@check("certificate refused without its authority")
async def _():
    try:
        async with dial("/echo", cafile=None):
            pass
    except ssl.SSLCertVerificationError:
        return
    raise AssertionError("the certificate was accepted")


@check("text with emoji")
async def _():
    await echoes(["hello", "grüße, 世界, \U0001f44b\U0001f3fd\u200d\U0001f680", "\0 \uffff \U0010ffff"])


@check("empty messages")
async def _():
    await echoes(["", b"", ""])


@check("text and binary of 1 byte to 1 MiB")
async def _():
    for size in SIZES:
        await echoes([b"\xfe" * size, "x" * size])


@check("fragments sent")
async def _():
    async with dial("/echo") as ws:
        await ws.send(["Hello, ", "", "世", "界"])
        expect(await ws.recv(), "Hello, 世界", "echo")
        await ws.send([bytes([n]) * 1000 for n in range(200)])
        expect(await ws.recv(), b"".join(bytes([n]) * 1000 for n in range(200)), "echo")


@check("fragments received")
async def _():
    await echoes(["x" * 999, "世界" * 20000, b"\x01" * 100001], path="/stream")


@check("500 messages pipelined")
async def _():
    async with dial("/echo") as ws:
        messages = [f"{n} " + "x" * (n * 7 % 300) for n in range(PIPELINED)]

        async def send():
            for message in messages:
                await ws.send(message)

        sending = asyncio.create_task(send())
        for message in messages:
            expect(await ws.recv(), message, "echo")
        await sending


@check("ping sent")
async def _():
    async with dial("/echo") as ws:
        await (await ws.ping(b"payload"))


@check("ping received")
async def _():
    async with dial("/ping") as ws:
        await ws.send("ping me")
        expect(await ws.recv(), "answered", "answer")


@check("closed by the client")
async def _():
    async with dial("/echo?id=closed-by-client") as ws:
        await ws.close(4001, "grüße")
        expect((await close_seen(ws))[0], 4001, "close code")


@check("closed by the server")
async def _():
    async with dial("/close?id=closed-by-server&code=4002&reason=enough") as ws:
        await ws.send("close me")
        expect(await close_seen(ws), (4002, "enough"), "close frame")


@check("message beyond the limit refused with 1009")
async def _():
    async with dial("/echo?id=too-big") as ws:
        await ws.send(b"x" * ((1 << 20) + 1))
        expect((await close_seen(ws))[0], 1009, "close code")


async def main():
    for name, function in checks:
        error = ""
        try:
            await asyncio.wait_for(function(), 60)
        except Exception as why:
            error = f"{type(why).__name__}: {why}"
        print(json.dumps({"check": name, "error": error}), flush=True)
    print(json.dumps({"done": True}), flush=True)


asyncio.run(main())
