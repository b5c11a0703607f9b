import ssl

import websocket

from common import command, run


def client(url, cafile):
    ws = websocket.create_connection(
        url, subprotocols=["unknown", "echo"], sslopt={"ca_certs": cafile, "cert_reqs": ssl.CERT_REQUIRED}, http_no_proxy=["*"]
    )
    while True:
        try:
            opcode, data = ws.recv_data()
        except websocket.WebSocketConnectionClosedException:
            return {"closed": 1006}
        except (ConnectionError, ssl.SSLError):
            return {"closed": 1006}
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            ws.close()
            if len(data) < 2:
                return {"closed": 1005, "reason": ""}
            return {"closed": int.from_bytes(data[:2], "big"), "reason": data[2:].decode()}
        do = command(data.decode()) if opcode == websocket.ABNF.OPCODE_TEXT else None
        if do is None:
            ws.send(data, opcode)
        elif do[0] == "close":
            ws.send_close(do[1], do[2].encode())
        else:
            ws.send_binary(do[1])


run("websocket-client", client)
