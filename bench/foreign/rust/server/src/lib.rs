//! What both servers have in common: TLS with rustls, and a single thread.

use std::{env, error::Error, io, process, sync::Arc, thread};

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        version::TLS13,
    },
    server::TlsStream,
};

/// Serves each connection with `echo`, until standard input ends. The certificate and its
/// key are the first two arguments, in PEM; the address is on standard output.
pub fn run<F>(
    echo: impl Fn(TlsStream<TcpStream>) -> F + Copy + Send + 'static,
) -> Result<(), Box<dyn Error>>
where
    F: Future<Output = ()> + Send + 'static,
{
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        process::exit(0);
    });
    let tls = acceptor()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (tcp, _) = listener.accept().await?;
            tcp.set_nodelay(true)?;
            let tls = tls.clone();
            tokio::spawn(async move {
                if let Ok(stream) = tls.accept(tcp).await {
                    echo(stream).await;
                }
            });
        }
    })
}

fn acceptor() -> Result<TlsAcceptor, Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let (Some(cert), Some(key)) = (args.next(), args.next()) else {
        return Err("two arguments are needed: CERT KEY, in PEM".into());
    };
    let config = ServerConfig::builder_with_protocol_versions(&[&TLS13])
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(cert)?],
            PrivateKeyDer::from_pem_file(key)?,
        )?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
