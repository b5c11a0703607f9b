//! An echo server on tokio-tungstenite, as its example echo-server has it. A third argument
//! is the size of the read buffers, in bytes.

use std::{env, error::Error, future::ready};

use futures_util::{StreamExt, TryStreamExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

fn main() -> Result<(), Box<dyn Error>> {
    let mut config = WebSocketConfig::default();
    if let Some(size) = env::args().nth(3) {
        config = config.read_buffer_size(size.parse()?);
    }
    server::run(move |stream| echo(stream, config))
}

/// Forwarding flushes when there is nothing more to read, or 128 KiB are to be written.
async fn echo(stream: TlsStream<TcpStream>, config: WebSocketConfig) {
    if let Ok(ws) = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await {
        let (write, read) = ws.split();
        let _ = read
            .try_filter(|m| ready(m.is_text() || m.is_binary()))
            .forward(write)
            .await;
    }
}
