//! A city behind TLS at a public address, as a strict client sees it; and traps where no connection may go.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use passerelle::outbound::{Client, Names, Policy};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use url::Url;

/// Where the city is.
pub const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 216, 34));
/// Where another one is.
pub const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 216, 35));

/// A listener that counts who connects.
pub struct Trap {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Trap {
    /// On any port of this machine's own address.
    pub async fn set() -> Self {
        Self::at(0).await
    }

    /// On the port that the city has at its own address: where a connection would go that follows a private answer.
    pub async fn beside(city: &City) -> Self {
        Self::at(city.address.port()).await
    }

    async fn at(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((_stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { address, connections }
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// What the city answers to a request (its head, in lower case); the connection stays open when it announces
/// a length and does not say "connection: close".
pub type Answers = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// A server for `city-b.test` and `city-c.test`.
pub struct City {
    pub address: SocketAddr,
    authority: String,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl City {
    pub async fn answering(answers: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec!["city-b.test".to_owned(), "city-c.test".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.der().clone()], private).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        // Not where a trap is, but on a port that one can have too: an address in a URL keeps its own port.
        let listener = loop {
            let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            if TcpListener::bind(("127.0.0.1", port)).await.is_ok() {
                break listener;
            }
        };
        let address = listener.local_addr().unwrap();
        let (requests, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let answers: Answers = Arc::new(answers);
        let (seen, counter) = (Arc::clone(&requests), Arc::clone(&connections));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                let (acceptor, answers, seen) = (acceptor.clone(), Arc::clone(&answers), Arc::clone(&seen));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut piece = vec![0; 16 * 1024];
                    loop {
                        // Requests of these tests are smaller than one piece.
                        let Ok(length) = stream.read(&mut piece).await else { return };
                        if length == 0 {
                            return;
                        }
                        let request = String::from_utf8_lossy(&piece[..length]).to_lowercase();
                        let answer = answers(&request);
                        seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                        if stream.write_all(answer.as_bytes()).await.is_err() || answer.contains("connection: close") {
                            let _gone = stream.shutdown().await;
                            return;
                        }
                    }
                });
            }
        });
        Self { address, authority: issuer.pem(), requests, connections }
    }

    /// A city that says "ok" and closes.
    pub async fn closing() -> Self {
        Self::answering(|_| "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok".to_owned()).await
    }

    /// A strict client to whom this city is at [`PUBLIC`], and names are what `names` says.
    pub fn client(&self, names: Names) -> Client {
        Client::new(Policy {
            extra_roots: vec![self.authority.clone()],
            names,
            routes: [(PUBLIC, self.address)].into(),
            own_authority: Some("city-a.test".to_owned()),
            ..Policy::strict()
        })
        .unwrap()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The heads of all requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An address of city B on a port.
pub fn url(host: &str, port: u16, path: &str) -> Url {
    format!("https://{host}:{port}{path}").parse().unwrap()
}
