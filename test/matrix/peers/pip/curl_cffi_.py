from curl_cffi import CurlError, CurlWsFlag, Session
from curl_cffi.requests import WebSocketClosed

from common import LIMIT, command, run


def client(url, cafile):
    with Session(verify=cafile) as session:
        ws = session.ws_connect(url, headers={"Sec-WebSocket-Protocol": "unknown, echo"}, max_message_size=LIMIT)
        while True:
            try:
                data, flags = ws.recv()
            except WebSocketClosed:
                return {"closed": ws.close_code or 1006, "reason": ws.close_reason or ""}
            except CurlError:
                return {"closed": 1006}
            if flags & CurlWsFlag.CLOSE:
                if ws.close_code is None:
                    return {"closed": 1005, "reason": ""}
                return {"closed": ws.close_code, "reason": ws.close_reason or ""}
            text = flags & CurlWsFlag.TEXT
            do = command(data.decode()) if text else None
            if do is None:
                ws.send(data, CurlWsFlag.TEXT if text else CurlWsFlag.BINARY)
            elif do[0] == "close":
                ws.close(do[1], do[2].encode())
            else:
                ws.send(do[1], CurlWsFlag.BINARY)


run("curl_cffi", client)
