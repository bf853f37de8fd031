//! HTTPS: trust, failures and what is measured of a handshake.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::path::PathBuf;
use std::sync::Arc;

use actix_web::rt::net::TcpListener;
use actix_web::{App, HttpResponse, HttpServer, web};
use akrida_actors::http::HttpOptions;
use akrida_actors::http::tls::{TlsOptions, build};
use akrida_actors::user::functions;
use akrida_core::stats::endpoint::EndpointKey;
use akrida_core::stats::measurements::Measurements;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use support::{Users, counts, failures};

fn file(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls")).join(name)
}

/// Serves over TLS and gives the port.
async fn served() -> u16 {
    let certificates = CertificateDer::pem_file_iter(file("certificate.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(file("key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let app = || App::new().default_service(web::to(async || HttpResponse::Ok().body("secret")));
    let server = HttpServer::new(app).workers(1).disable_signals().listen_rustls_0_23(listener, config).unwrap();
    actix::spawn(server.run());
    port
}

async fn run(steps: &str, host: &str, options: Option<TlsOptions>) -> Measurements {
    let http = HttpOptions { tls: options.map(|options| build(&options).unwrap()), ..HttpOptions::default() };
    let users = Users::with(&support::once(steps), host, http, functions::register);
    let _user = users.start();
    users.end().await
}

#[actix::test]
async fn a_trusted_server_is_spoken_to_over_one_connection() {
    let host = format!("https://127.0.0.1:{}", served().await);
    let trusting = TlsOptions { ca_file: Some(file("certificate.pem")), ..TlsOptions::default() };
    let insecure = TlsOptions { insecure: true, ..TlsOptions::default() };
    for options in [trusting, insecure] {
        let measured =
            run("- repeat: 3\n  steps:\n  - get: /\n    check: { body: secret }", &host, Some(options)).await;
        assert_eq!(counts(&measured), (3, 0, 3), "{:?}", failures(&measured));
        let endpoint = &measured.endpoints[&EndpointKey::request("GET", "/")];
        assert_eq!((endpoint.connect.count(), endpoint.tls.count(), endpoint.first_byte.count()), (1, 1, 3));
    }
}

#[actix::test]
async fn a_handshake_that_fails_says_why_and_is_no_exchange() {
    let port = served().await;
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain_port = plain.local_addr().unwrap().port();
    actix::spawn(async move {
        while let Ok((stream, _)) = plain.accept().await {
            drop(stream.try_write(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
        }
    });
    let ca = || TlsOptions { ca_file: Some(file("certificate.pem")), ..TlsOptions::default() };
    for (host, options, text) in [
        (
            format!("https://127.0.0.1:{port}"),
            Some(TlsOptions::default()),
            "TLS handshake failed: certificate not trusted",
        ),
        (format!("https://127.0.0.2:{port}"), Some(ca()), "connection refused"),
        (format!("https://127.0.0.1:{plain_port}"), Some(ca()), "TLS handshake failed: peer does not speak TLS"),
        (format!("https://127.0.0.1:{port}"), None, "https is not set up"),
    ] {
        let measured = run("- get: /", &host, options).await;
        assert_eq!(failures(&measured), [(text.to_owned(), 1)]);
        assert_eq!(counts(&measured), (1, 1, 0));
    }
}
