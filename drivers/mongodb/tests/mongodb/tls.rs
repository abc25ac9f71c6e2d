//! Encrypted connections: a proxy that speaks TLS stands before the server.

use std::sync::Arc;

use ommi::prelude::*;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::faults::refused;
use crate::harness::{STANDALONE, close, parts};

const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mongodb/tls/ca.pem");

/// Puts a proxy before the server, and gives its address.
async fn proxy() -> Option<String> {
    let (server, _) = parts(STANDALONE)?;
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (acceptor, server) = (acceptor.clone(), server.clone());
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut server = TcpStream::connect(server).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    Some(address)
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Sealed {
    #[ommi(key)]
    id: i64,
    note: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_connection_is_one_as_any_other() {
    let Some(address) = proxy().await else { return };
    let database = format!("ommi_test_tls_{}", std::process::id());
    for trust in [format!("tlsCAFile={AUTHORITY}"), "tlsAllowInvalidCertificates=true".to_owned()] {
        let db = ommi::connect(&format!("mongodb://{address}/{database}?tls=true&{trust}")).await.unwrap();
        db.create::<Sealed>().await.unwrap();
        let sealed = db.add(Sealed { id: 1, note: "a letter".into() }).await.unwrap();
        assert_eq!(db.get::<Sealed>(1).await.unwrap(), sealed);
        close(db).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let Some(address) = proxy().await else { return };
    let error = refused(&format!("mongodb://{address}/x?tls=true&serverSelectionTimeoutMS=1000")).await;
    assert!(error.is_connection() && error.message().contains("`tlsCAFile`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_speaks_tls_alone_is_a_connection_error() {
    let Some(address) = proxy().await else { return };
    let error = refused(&format!("mongodb://{address}/x?serverSelectionTimeoutMS=1000")).await;
    assert!(error.is_connection() && error.message().contains("`tls=true`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_speak_tls_is_a_connection_error() {
    let Some((address, _)) = parts(STANDALONE) else { return };
    let error = refused(&format!("mongodb://{address}/x?tls=true&serverSelectionTimeoutMS=1000")).await;
    assert!(error.is_connection() && error.message().contains("`tls`"), "{error}");
}
