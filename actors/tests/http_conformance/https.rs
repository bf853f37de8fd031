//! The same over TLS.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use akrida_actors::http::client::Client;
use akrida_actors::http::connect::Network;
use akrida_actors::http::request::Outgoing;
use akrida_actors::http::target::Target;
use akrida_actors::http::tls::{self, TlsOptions};
use akrida_actors::http::{HttpOptions, Method};
use akrida_core::ids::UserIndex;
use bytes::Bytes;

use crate::play::{BOTH, line_of, request};
use crate::server::{Server, Step};

/// A server over TLS that counts its connections.
async fn tls_server(connections: Arc<AtomicUsize>) -> (SocketAddr, actix_web::dev::ServerHandle) {
    use actix_web::{App, HttpRequest, HttpServer, web};
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../tls/certificate.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../tls/key.pem")).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let echo = |request: HttpRequest, body: Bytes| async move { format!("{} {}", request.path(), body.len()) };
    let server = HttpServer::new(move || {
        App::new().app_data(web::PayloadConfig::new(10_000_000)).default_service(web::to(echo))
    })
    .workers(1)
    .disable_signals()
    .on_connect(move |_, _| {
        connections.fetch_add(1, Ordering::SeqCst);
    })
    .bind_rustls_0_23("127.0.0.1:0", config)
    .unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    actix_rt::spawn(server);
    (address, handle)
}

#[actix_rt::test]
async fn https_is_spoken_on_a_connection_that_is_kept() {
    for transport in BOTH {
        let connections = Arc::new(AtomicUsize::new(0));
        let (address, server) = tls_server(Arc::clone(&connections)).await;
        let tls = tls::build(&TlsOptions { insecure: true, ..TlsOptions::default() }).unwrap();
        let options = HttpOptions { transport, tls: Some(tls), ..HttpOptions::default() };
        let mut client = Client::new(Rc::new(Network::new(&options)), UserIndex(0));
        for (body, expected) in
            [(None, "200 /x 0 4B x1"), (Some(3_000_000), "200 /x 3000000 10B x1"), (None, "200 /x 0 4B x1")]
        {
            let request = Outgoing {
                target: Rc::new(Target::parse(&format!("https://{address}/x")).unwrap()),
                body: body.map(|length| Bytes::from(vec![b'x'; length])),
                ..request(address, Method::POST)
            };
            let outcome = client.send(&request).await;
            assert_eq!(line_of(&outcome), expected, "{transport:?}");
            assert!(outcome.phases.first_byte_us.is_some(), "{transport:?}");
        }
        assert_eq!(connections.load(Ordering::SeqCst), 1, "{transport:?}");
        // A peer that does not know TLS.
        let plain = Server::start(vec![vec![Step::Send(b"220 ready\r\n".to_vec()), Step::Hold]]).await;
        let target = Rc::new(Target::parse(&format!("https://{}/", plain.address)).unwrap());
        let outcome = client.send(&Outgoing { target, ..request(plain.address, Method::GET) }).await;
        assert_eq!(line_of(&outcome), "TLS handshake failed: peer does not speak TLS x0", "{transport:?}");
        server.stop(false).await;
    }
}
