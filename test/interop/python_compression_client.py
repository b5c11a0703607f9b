"""Check what a WebSocket server compresses with websockets, one line of JSON a connection.

python_compression_client.py URL CAFILE PLANFILE
"""

import asyncio
import json
import ssl
import sys
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import NegotiationError
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

URL, CA, PLAN = sys.argv[1:]

plan = json.loads(Path(PLAN).read_text())
data = {kind: Path(PLAN).with_name(kind).read_bytes() for kind in plan["kinds"]}
tls = ssl.create_default_context(cafile=CA)


def cut(message):
    """Return a message of the plan."""
    part = data[message["kind"]][message["start"] : message["end"]]
    return part.decode() if message["text"] else part


sets = [{name: [cut(message) for message in messages] for name, messages in found.items()} for found in plan["sets"]]


def factory(theirs):
    # True offers the parameter without a value, None does not offer it.
    bits = theirs["clientBits"]
    return ClientPerMessageDeflateFactory(
        server_no_context_takeover=theirs["serverAlone"],
        client_no_context_takeover=theirs["clientAlone"],
        server_max_window_bits=theirs["serverBits"] or None,
        client_max_window_bits=None if bits == -1 else bits or True,
    )


async def exchange(ws, messages):
    """Send messages without waiting, and compare each with what comes back."""

    async def send():
        for message in messages:
            await ws.send(message)

    sending = asyncio.create_task(send())
    for number, want in enumerate(messages):
        got = await ws.recv()
        if got != want or type(got) is not type(want):
            raise AssertionError(f"echo {number}: got {got!r:.80}, want {want!r:.80}")
    await sending


async def use(link, extension, outcome):
    async with connect(
        f"{URL}/connection?id={link['id']}", ssl=tls, extensions=[extension], compression=None, max_size=None, proxy=None
    ) as ws:
        outcome["extensions"] = ws.response.headers.get("Sec-WebSocket-Extensions", "")
        messages = sets[link["set"]]
        for message in messages["messages"]:
            await exchange(ws, [message])
            outcome["messages"] += 1
        await exchange(ws, messages["burst"])
        outcome["messages"] += len(messages["burst"])


async def work(links):
    for link in links:
        outcome = {"connection": link["id"], "extensions": "", "messages": 0, "error": "", "cannot": ""}
        try:
            extension = factory(link["theirs"])
        except ValueError as why:
            outcome["cannot"] = str(why)
        else:
            try:
                await asyncio.wait_for(use(link, extension, outcome), 60)
            except Exception as why:
                refused = isinstance(why, NegotiationError) and "('client_max_window_bits', '8')" in str(why)
                if refused:
                    outcome["cannot"] = "it refuses a response with client_max_window_bits=8"
                else:
                    outcome["error"] = f"{type(why).__name__}: {why}"
        print(json.dumps(outcome), flush=True)


async def main():
    links = iter(plan["links"])
    await asyncio.gather(*(work(links) for _ in range(plan["abreast"])))


asyncio.run(main())
