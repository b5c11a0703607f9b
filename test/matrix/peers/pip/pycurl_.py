import select
import struct

import pycurl

from common import command, run


def client(url, cafile):
    c = pycurl.Curl()
    c.setopt(pycurl.URL, url)
    c.setopt(pycurl.CAINFO, cafile)
    c.setopt(pycurl.NOPROXY, "*")
    c.setopt(pycurl.CONNECT_ONLY, 2)
    c.setopt(pycurl.HTTPHEADER, ["Sec-WebSocket-Protocol: unknown, echo"])
    c.perform()
    socket = c.getinfo(pycurl.ACTIVESOCKET)

    def again(call, *args):
        while True:
            try:
                return call(*args)
            except BlockingIOError:
                select.select([socket], [], [], 0.05)

    def send(data, flags):
        sent = 0
        while True:
            n = again(c.ws_send, data[sent:], flags)
            sent += n
            if sent >= len(data):
                return

    parts, closing = [], False
    while True:
        try:
            data, frame = again(c.ws_recv, 1 << 16)
        except pycurl.error:
            return {"closed": 1006}
        if frame.flags & pycurl.WS_CLOSE:
            if not closing:
                send(data, pycurl.WS_CLOSE)
            if len(data) < 2:
                return {"closed": 1005, "reason": ""}
            return {"closed": struct.unpack("!H", data[:2])[0], "reason": data[2:].decode()}
        parts.append(data)
        if frame.bytesleft or frame.flags & pycurl.WS_CONT:
            continue
        whole = b"".join(parts)
        parts.clear()
        text = frame.flags & pycurl.WS_TEXT
        do = command(whole.decode()) if text else None
        if do is None:
            send(whole, pycurl.WS_TEXT if text else pycurl.WS_BINARY)
        elif do[0] == "close":
            send(struct.pack("!H", do[1]) + do[2].encode(), pycurl.WS_CLOSE)
            closing = True
        else:
            send(do[1], pycurl.WS_BINARY)


run("pycurl", client)
