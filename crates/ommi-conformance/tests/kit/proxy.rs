//! The proxy that breaks connections.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ommi_conformance::proxy::{Proxy, Way};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server that answers with what it is sent.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.into_split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    address
}

async fn through_proxy() -> (Proxy, TcpStream) {
    let proxy = Proxy::start(echo().await.to_string()).await.unwrap();
    let client = TcpStream::connect(proxy.address()).await.unwrap();
    (proxy, client)
}

async fn ask(client: &mut TcpStream, text: &[u8]) -> io::Result<Vec<u8>> {
    client.write_all(text).await?;
    let mut answer = vec![0; text.len()];
    client.read_exact(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn what_flows_is_not_changed() {
    let (proxy, mut client) = through_proxy().await;
    let long: Vec<u8> = (0..200_000u32).map(|byte| byte.to_le_bytes()[0]).collect();
    let (mut from, mut to) = client.split();
    let mut answer = vec![0; long.len()];
    let (sent, received) = tokio::join!(to.write_all(&long), from.read_exact(&mut answer));
    sent.and(received).unwrap();
    assert_eq!(answer, long);
    assert_eq!(proxy.connections(), 1);
    drop(client);
    while proxy.connections() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_cut_ends_all_connections_and_new_ones_are_served() {
    let (proxy, mut client) = through_proxy().await;
    ask(&mut client, b"one").await.unwrap();
    let mut other = TcpStream::connect(proxy.address()).await.unwrap();
    ask(&mut other, b"two").await.unwrap();
    proxy.cut();
    for client in [&mut client, &mut other] {
        assert!(!matches!(client.read(&mut [0; 8]).await, Ok(1..)));
    }
    let mut anew = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut anew, b"three").await.unwrap(), b"three");
}

#[tokio::test]
async fn what_is_stalled_comes_when_it_flows() {
    for way in [Way::ToServer, Way::ToClient] {
        let (proxy, mut client) = through_proxy().await;
        ask(&mut client, b"one").await.unwrap();
        proxy.stall(way);
        client.write_all(b"two").await.unwrap();
        let mut answer = [0; 3];
        let waited = tokio::time::timeout(Duration::from_millis(50), client.read_exact(&mut answer)).await;
        assert!(waited.is_err());
        proxy.flow();
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"two");
    }
}

#[tokio::test]
async fn what_is_delayed_comes_later() {
    let (proxy, mut client) = through_proxy().await;
    let delay = Duration::from_millis(30);
    proxy.delay(Way::ToServer, delay);
    proxy.delay(Way::ToClient, delay);
    let begun = Instant::now();
    ask(&mut client, b"one").await.unwrap();
    assert!(begun.elapsed() >= delay * 2);
}

#[tokio::test]
async fn what_is_truncated_ends_after_its_bytes() {
    let (proxy, mut client) = through_proxy().await;
    ask(&mut client, b"one").await.unwrap();
    proxy.truncate(Way::ToClient, 4);
    client.write_all(b"0123456789").await.unwrap();
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer).await;
    assert_eq!(answer, b"0123");
    let mut anew = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut anew, b"whole").await.unwrap(), b"whole");
}

#[tokio::test]
async fn those_who_are_refused_get_no_answer() {
    let (proxy, mut client) = through_proxy().await;
    ask(&mut client, b"one").await.unwrap();
    proxy.refuse(true);
    let mut refused = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(ask(&mut refused, b"one").await.is_err());
    assert_eq!(ask(&mut client, b"two").await.unwrap(), b"two");
    proxy.refuse(false);
    let mut anew = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut anew, b"three").await.unwrap(), b"three");
}

#[tokio::test]
async fn a_server_that_is_gone_may_come_back_elsewhere() {
    let proxy = Proxy::start("127.0.0.1:1").await.unwrap();
    let mut nobody = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(ask(&mut nobody, b"one").await.is_err());
    proxy.set_upstream(echo().await.to_string());
    let mut somebody = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut somebody, b"two").await.unwrap(), b"two");
}
