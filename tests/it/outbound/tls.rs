//! Over TLS, with the private ranges closed: a test's own authority and pinned addresses stand in for the world.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use passerelle::outbound::{Client, OutboundError, Policy, Request};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::Raw;

/// A city behind TLS, the authority that vouches for it, and how many connections were opened to it.
struct City {
    address: std::net::SocketAddr,
    authority: String,
    connections: Arc<AtomicUsize>,
}

async fn city(name: &str) -> City {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.der().clone()], private).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut request = [0; 2048];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                let _ = stream.shutdown().await;
            });
        }
    });
    City { address, authority: issuer.pem(), connections }
}

#[tokio::test]
async fn a_pinned_name_behind_a_tests_authority_is_reached_with_the_private_ranges_closed() {
    let city = city("city-b.test").await;
    let mut policy = Policy { extra_roots: vec![city.authority.clone()], ..Policy::strict() };
    policy.pins.insert("city-b.test".to_owned(), city.address);
    let client = Client::new(policy).unwrap();
    let response = client.send(Request::get("https://city-b.test/actor".parse().unwrap())).await.unwrap();
    assert_eq!((response.status.as_u16(), response.body.as_ref()), (200, &b"ok"[..]));
    let plain = client.send(Request::get("http://city-b.test/actor".parse().unwrap())).await;
    assert!(matches!(plain, Err(OutboundError::Url { .. })), "{plain:?}");
}

#[tokio::test]
async fn sec_116_a_certificate_of_nobody_or_of_another_name_is_refused() {
    let other = city("city-c.test").await;
    for roots in [Vec::new(), vec![other.authority.clone()]] {
        let mut policy = Policy { extra_roots: roots, ..Policy::strict() };
        policy.pins.insert("city-b.test".to_owned(), other.address);
        let error = Client::new(policy).unwrap().send(Request::get("https://city-b.test/".parse().unwrap())).await.unwrap_err();
        assert!(matches!(error, OutboundError::Unreachable { .. }), "{error}");
        assert!(error.to_string().contains("certificate"), "{error}");
    }
}

#[tokio::test]
async fn sec_103_proxies_of_the_environment_are_ignored() {
    // The environment of this process cannot be changed safely: a child of it runs the test below.
    let proxy = Raw::answering(b"HTTP/1.1 502 Proxied\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    let city = city("city-b.test").await;
    let (proxied, target, authority) = (proxy.url.to_string(), city.address.to_string(), city.authority);
    let child = tokio::task::spawn_blocking(move || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "outbound::tls::a_child_with_proxies_in_its_environment"])
            .envs(
                ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, &proxied)),
            )
            .env(TARGET, target)
            .env(AUTHORITY, authority)
            .output()
            .unwrap()
    });
    let child = child.await.unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!((proxy.connections(), city.connections.load(Ordering::SeqCst)), (0, 1));
}

/// Where the child finds the city, and who vouches for it.
const TARGET: &str = "PASSERELLE_TEST_TARGET";
const AUTHORITY: &str = "PASSERELLE_TEST_AUTHORITY";

#[tokio::test]
async fn a_child_with_proxies_in_its_environment() {
    let (Ok(target), Ok(authority)) = (std::env::var(TARGET), std::env::var(AUTHORITY)) else { return };
    let mut policy = Policy { extra_roots: vec![authority], ..Policy::strict() };
    policy.pins.insert("city-b.test".to_owned(), target.parse().unwrap());
    let response = Client::new(policy).unwrap().send(Request::get("https://city-b.test/".parse().unwrap())).await.unwrap();
    assert_eq!(response.status.as_u16(), 200);
}
