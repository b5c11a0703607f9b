//! Echoes messages with tungstenite, as its example does: a thread for each connection.

use std::{io, net::TcpListener, thread};

use tungstenite::accept;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening ws://{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        stream.set_nodelay(true)?;
        thread::spawn(move || {
            let Ok(mut socket) = accept(stream) else { return };
            // Until the connection has ended, or has failed.
            while let Ok(message) = socket.read() {
                if (message.is_text() || message.is_binary()) && socket.send(message).is_err() {
                    return;
                }
            }
        });
    }
    Ok(())
}
