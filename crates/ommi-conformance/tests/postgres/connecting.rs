//! URLs that are right, and what is said of those that are not.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Instant;

use ommi::prelude::*;
use ommi_conformance::server;

/// The parts of the server's URL: what stands before the address, the address, and what is behind.
fn parts(url: &str) -> (String, String, String) {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (login, rest) = rest.rsplit_once('@').unwrap();
    let (address, database) = rest.split_once('/').unwrap();
    (format!("{scheme}://{login}@"), address.to_owned(), database.to_owned())
}

async fn refused(url: &str) -> Error {
    ommi::connect(url).await.map(|_| ()).unwrap_err()
}

#[tokio::test]
async fn a_wrong_password_is_a_connection_error_that_does_not_show_it() {
    let Some(url) = server::address("OMMI_POSTGRES_URL") else { return };
    let (_, address, database) = parts(&url);
    let error = refused(&format!("postgres://postgres:s3cr%40t@{address}/{database}")).await;
    assert!(error.is_connection(), "{error}");
    assert_eq!(error.code(), Some("28P01"));
    assert!(error.message().contains("refuses the user `postgres`"), "{error}");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("s3cr@t") && !shown.contains("s3cr%40t"), "{shown}");
    let error = refused(&format!("postgres://postgres@{address}/{database}")).await;
    assert!(error.is_connection() && error.message().contains("the URL has none"), "{error}");
}

#[tokio::test]
async fn an_unknown_database_is_named() {
    let Some(url) = server::address("OMMI_POSTGRES_URL") else { return };
    let (login, address, _) = parts(&url);
    let error = refused(&format!("{login}{address}/nowhere%20at%20all")).await;
    assert!(error.is_connection() && error.code() == Some("3D000"), "{error}");
    assert!(error.message().contains("nowhere at all") && error.message().contains("createdb"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_refuses_who_requires_it() {
    let Some(url) = server::address("OMMI_POSTGRES_URL") else { return };
    let (login, address, database) = parts(&url);
    let error = refused(&format!("{login}{address}/{database}?sslmode=require")).await;
    assert!(error.is_connection() && error.message().contains("sslmode=disable"), "{error}");
    for mode in ["disable", "prefer"] {
        let db = ommi::connect(&format!("{login}{address}/{database}?sslmode={mode}")).await.unwrap();
        db.close().await.unwrap();
    }
}

#[tokio::test]
async fn nobody_who_listens_is_a_connection_error_at_once() {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let error = refused(&format!("postgres://ada:secret@{free}/library")).await;
    assert!(error.is_connection(), "{error}");
    assert!(error.message().contains("is the server up"), "{error}");
    assert!(error.message().contains(&free.to_string()), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn who_listens_and_says_nothing_is_given_up() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let begun = Instant::now();
    let address = silent.local_addr().unwrap();
    let error = refused(&format!("postgres://ada@{address}/library?connect_timeout=200ms")).await;
    assert!(error.is_connection() && error.message().contains("`connect_timeout`"), "{error}");
    assert!(begun.elapsed().as_secs() < 10, "the usual limit was kept to");
}

/// A message of the server: its letter, its length, and what it says.
fn message(letter: u8, says: &[u8]) -> Vec<u8> {
    let length = u32::try_from(says.len() + 4).unwrap();
    [&[letter], &length.to_be_bytes()[..], says].concat()
}

#[tokio::test]
async fn a_server_that_is_too_old_is_unsupported() {
    let old = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = old.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut client, _) = old.accept().unwrap();
        let mut length = [0; 4];
        client.read_exact(&mut length).unwrap();
        let mut startup = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap() - 4];
        client.read_exact(&mut startup).unwrap();
        let version = message(b'S', b"server_version\09.6.24\0");
        // welcome, the version, and ready for a query
        client.write_all(&[message(b'R', &[0; 4]), version, message(b'Z', b"I")].concat()).unwrap();
        let _ = client.read(&mut [0; 16]);
    });
    let error = refused(&format!("postgres://ada@{address}/library?sslmode=disable")).await;
    assert!(error.is_unsupported(), "{error}");
    assert!(error.message().contains("PostgreSQL 9.6.24") && error.message().contains("13"), "{error}");
    server.join().unwrap();
}

#[tokio::test]
async fn hosts_are_tried_in_their_order() {
    let Some(url) = server::address("OMMI_POSTGRES_URL") else { return };
    let (login, address, database) = parts(&url);
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let db = ommi::connect(&format!("{login}{free},{address}/{database}")).await.unwrap();
    db.close().await.unwrap();
    let error = refused(&format!("{login}{address}/{database}?target_session_attrs=read-only")).await;
    assert!(error.is_connection(), "{error}");
    let db = ommi::connect(&format!("{login}{address}/{database}?target_session_attrs=read-write")).await.unwrap();
    db.close().await.unwrap();
}

#[tokio::test]
async fn a_unix_socket_is_a_host() {
    let Some(url) = server::address("OMMI_POSTGRES_URL") else { return };
    let Some(sockets) = server::address("OMMI_POSTGRES_SOCKETS") else { return };
    let (_, address, database) = parts(&url);
    let port = address.rsplit_once(':').unwrap().1;
    let encoded = sockets.replace('/', "%2F");
    for url in [
        format!("postgres://postgres@{encoded}:{port}/{database}"),
        format!("postgresql:///{database}?host={sockets}&port={port}&user=postgres"),
    ] {
        let db = ommi::connect(&url).await.unwrap();
        let rows: Vec<(Option<String>,)> = db.raw("SELECT CAST(inet_client_addr() AS text)").tuples().await.unwrap();
        assert_eq!(rows, [(None,)]);
        db.close().await.unwrap();
    }
}

#[tokio::test]
async fn sessions_begin_with_the_settings_of_the_url() {
    let Some(url) = server::address("OMMI_POSTGRES_URL") else { return };
    let separator = if url.contains('?') { '&' } else { '?' };
    let url =
        format!("{url}{separator}application_name=my%20shop&search_path=one,%22t%20wo%22&statement_timeout=200ms");
    let db = ommi::connect(&url).await.unwrap();
    let setting = async |name: &str| {
        let rows: Vec<(String,)> = db.raw(format!("SHOW {name}")).tuples().await.unwrap();
        rows.into_iter().next().unwrap().0
    };
    assert_eq!(setting("application_name").await, "my shop");
    assert_eq!(setting("search_path").await, "one,\"t wo\"");
    let error = db.raw("SELECT pg_sleep(20)").execute().await.unwrap_err();
    assert!(error.is_timeout() && error.message().contains("`statement_timeout`"), "{error}");
    db.close().await.unwrap();
}

#[tokio::test]
async fn options_that_are_unknown_or_wrong_are_config_errors() {
    for (option, named) in [
        ("ssl_mode=require", "`sslmode`"),
        ("sslmode=on", "`verify-full`"),
        ("pool=0", "1 to 10000"),
        ("prepare=no", "`off`"),
        ("connect_timeout=1x", "connect_timeout"),
        ("sslmode=verify-full&sslrootcert=/nowhere.pem", "/nowhere.pem"),
    ] {
        let error = refused(&format!("postgres://ada:secret@127.0.0.1:1/library?{option}")).await;
        assert!(error.is_config() && error.message().contains(named), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
