//! The network as a strict gateway sees it: a few public host names, served over TLS by one process under
//! a certificate authority of the test's own. Counts every connection, so that "no outbound connection"
//! can be asserted. Nothing is relaxed: `allow_private` stays empty.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use passerelle::outbound::{Client, Names, Policy};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The hosts that exist.
pub const HOSTS: [&str; 4] = ["b.example", "c.example", "m.example", "reader.example"];
/// The public address they all have; a connection to it ends up here.
const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 216, 34));

/// What a host answers to a GET.
#[derive(Debug, Clone)]
pub struct Served {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Served {
    /// A document of ActivityPub.
    pub fn activity(document: &serde_json::Value) -> Self {
        Self::typed("application/activity+json", document)
    }

    /// A document under another media type.
    pub fn typed(media_type: &str, document: &serde_json::Value) -> Self {
        Self { status: 200, headers: vec![("content-type", media_type.to_owned())], body: document.to_string() }
    }

    /// A redirect.
    pub fn redirect(to: &str) -> Self {
        Self { status: 302, headers: vec![("location", to.to_owned())], body: String::new() }
    }

    /// A bare status.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }
}

/// The network; ends with its last clone.
#[derive(Clone)]
pub struct Network(Arc<Inner>);

struct Inner {
    state: Arc<State>,
    policy: Policy,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct State {
    pages: Mutex<HashMap<String, Served>>,
    names: Mutex<HashMap<String, Vec<IpAddr>>>,
    connections: AtomicUsize,
    requests: AtomicUsize,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Network {
    /// Starts it on a free port of this machine.
    pub async fn start() -> Self {
        let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().expect("a key");
        let root = authority.self_signed(&authority_key).expect("a certificate");
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate().expect("a key");
        let names: Vec<String> = HOSTS.iter().map(|host| (*host).to_owned()).collect();
        let certificate = CertificateParams::new(names).expect("parameters").signed_by(&key, &issuer).expect("a certificate");
        let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a private key");
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .expect("a TLS configuration");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State::default());
        let known = HOSTS.iter().map(|host| ((*host).to_owned(), vec![PUBLIC])).collect();
        *state.names.lock().unwrap_or_else(PoisonError::into_inner) = known;
        let asked = Arc::clone(&state);
        let names = Names::by(move |host| {
            let names = asked.names.lock().unwrap_or_else(PoisonError::into_inner);
            names.get(host).cloned().ok_or_else(|| io::Error::other("no such name"))
        });
        let task = tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(tls)), Arc::clone(&state)));
        let policy = Policy {
            extra_roots: vec![root.pem()],
            own_authority: Some("a.example".to_owned()),
            names,
            routes: [(PUBLIC, address)].into(),
            ..Policy::strict()
        };
        Self(Arc::new(Inner { state, policy, task }))
    }

    /// A client that lives in this network, under the production rules.
    pub fn client(&self) -> Client {
        Client::new(self.0.policy.clone()).expect("a client")
    }

    /// From now on `https://{place}` answers this.
    pub fn serve(&self, place: &str, served: Served) {
        self.0.state.pages.lock().unwrap_or_else(PoisonError::into_inner).insert(place.to_owned(), served);
    }

    /// From now on the name has these addresses.
    pub fn resolve(&self, host: &str, addresses: &[IpAddr]) {
        self.0.state.names.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned(), addresses.to_vec());
    }

    /// From now on nobody answers.
    pub fn close(&self) {
        self.0.task.abort();
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.0.state.connections.load(Ordering::SeqCst)
    }

    /// How many requests came.
    pub fn requests(&self) -> usize {
        self.0.state.requests.load(Ordering::SeqCst)
    }
}

async fn serve(listener: tokio::net::TcpListener, tls: TlsAcceptor, state: Arc<State>) {
    while let Ok((socket, _)) = listener.accept().await {
        state.connections.fetch_add(1, Ordering::SeqCst);
        let (tls, state) = (tls.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(socket).await else { return };
            let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
                let answer = answer(&state, &request);
                async move { Ok::<_, Infallible>(answer) }
            });
            // A connection that breaks is the client's matter.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn answer(state: &State, request: &Request<hyper::body::Incoming>) -> Response<axum::body::Body> {
    state.requests.fetch_add(1, Ordering::SeqCst);
    let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let place = format!("{host}{}", request.uri().path());
    let pages = state.pages.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(served) = pages.get(&place) else {
        let mut response = Response::new(axum::body::Body::empty());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let mut response = Response::builder().status(served.status);
    for (name, value) in &served.headers {
        response = response.header(*name, value);
    }
    response.body(axum::body::Body::from(Bytes::from(served.body.clone()))).expect("a response")
}
