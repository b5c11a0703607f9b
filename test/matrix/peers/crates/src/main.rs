//! tungstenite as an echo, in both roles: see ../README.md.

use std::{
    env, fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use serde_json::json;
use tungstenite::{
    Connector, Message, WebSocket, accept_hdr_with_config, client_tls_with_config,
    client::IntoClientRequest,
    handshake::server::{Request, Response},
    http::HeaderValue,
    protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
};

fn config() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(17 << 20)).max_frame_size(Some(17 << 20))
}

/// Serves a connection, and returns how it ended.
fn echo<S: Read + Write>(mut ws: WebSocket<S>) -> serde_json::Value {
    let mut end = json!({"closed": 1006, "reason": ""});
    loop {
        let message = match ws.read() {
            Ok(message) => message,
            Err(_) => return end,
        };
        match message {
            Message::Text(text) => {
                let parts: Vec<&str> = text.splitn(3, ' ').collect();
                let answer = match parts[..] {
                    ["!close", code, reason] => {
                        let code = CloseCode::from(code.parse::<u16>().unwrap());
                        let _ = ws.close(Some(CloseFrame { code, reason: reason.into() }));
                        continue;
                    }
                    ["!send", size] => Message::Binary(vec![0; size.parse().unwrap()].into()),
                    _ => Message::Text(text),
                };
                let _ = ws.send(answer);
            }
            Message::Binary(data) => {
                let _ = ws.send(Message::Binary(data));
            }
            Message::Close(None) => end = json!({"closed": 1005, "reason": ""}),
            Message::Close(Some(frame)) => end = json!({"closed": u16::from(frame.code), "reason": frame.reason.as_str()}),
            _ => {}
        }
    }
}

fn client(url: &str, ca: &[u8]) -> Result<serde_json::Value, Box<dyn std::error::Error>> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("unknown, echo"));
    let host = request.uri().host().unwrap().to_string();
    let port = request.uri().port_u16().unwrap();
    let tls = native_tls::TlsConnector::builder()
        .disable_built_in_roots(true)
        .add_root_certificate(native_tls::Certificate::from_pem(ca)?)
        .build()?;
    let stream = TcpStream::connect((host.as_str(), port))?;
    stream.set_nodelay(true)?;
    let (ws, _) = client_tls_with_config(request, stream, Some(config()), Some(Connector::NativeTls(tls)))
        .map_err(|why| why.to_string())?;
    Ok(echo(ws))
}

#[allow(clippy::result_large_err)]
fn choose(request: &Request, mut response: Response) -> Result<Response, tungstenite::handshake::server::ErrorResponse> {
    if request.headers().contains_key("Sec-WebSocket-Protocol") {
        response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("echo"));
    }
    Ok(response)
}

fn server(port: u16, cert: &[u8], key: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    let key = std::str::from_utf8(key)?; // the certificate is in the file, too
    let key = &key[key.find("-----BEGIN PRIVATE KEY").ok_or("no private key")?..];
    let tls = native_tls::TlsAcceptor::new(native_tls::Identity::from_pkcs8(cert, key.as_bytes())?)?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    println!("{}", json!({"listening": port}));
    for stream in listener.incoming() {
        let stream = stream?;
        stream.set_nodelay(true)?;
        let tls = tls.clone();
        thread::spawn(move || {
            let Ok(stream) = tls.accept(stream) else { return };
            let Ok(ws) = accept_hdr_with_config(stream, choose, Some(config())) else { return };
            println!("{}", echo(ws));
        });
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = env::args().collect();
    match args[1].as_str() {
        "version" => println!("{}", "0.30"),
        "client" => {
            let ca = fs::read(&args[2])?;
            for url in &args[3..] {
                match client(url, &ca) {
                    Ok(end) => println!("{end}"),
                    Err(why) => println!("{}", json!({"failed": why.to_string()})),
                }
            }
        }
        _ => server(args[2].parse()?, &fs::read(&args[3])?, &fs::read(&args[4])?)?,
    }
    Ok(())
}
