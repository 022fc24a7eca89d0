//! One connection, from the accept to the close.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CONNECTION, RETRY_AFTER};
use axum::http::{HeaderValue, Request, Response, StatusCode};
use axum::response::IntoResponse;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower::Service;
use tower_http::timeout::DeadlineBody;

use super::Deadlines;
use super::door::{Client, Door, Place};
use super::forwarded;
use super::pulse::{Felt, Pulse};
use crate::web::Recognised;

/// Most headers of a request (431 beyond).
const MAX_HEADERS: usize = 100;
/// Longest head of a request, in bytes (431 beyond).
const MAX_HEAD: usize = 32 * 1024;
/// Longest path with query, in bytes (414 beyond).
const MAX_TARGET: usize = 8 * 1024;

/// What all connections share.
pub(super) struct Shared {
    pub(super) router: Router,
    pub(super) door: Arc<Door>,
    pub(super) deadlines: Deadlines,
}

/// Serves one connection until it ends, is overdue, or the process stops.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    let _place = place;
    // Small answers leave at once; where the system does not know the option, they leave a little later.
    let _unknown = stream.set_nodelay(true);
    let deadlines = shared.deadlines;
    let pulse = Pulse::new(deadlines);
    let service = service_fn({
        let pulse = pulse.clone();
        move |request| Box::pin(answer(Arc::clone(&shared), peer, pulse.clone(), request))
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        // A second line behind the pulse, which knows more: hyper would count a long download as idle.
        .header_read_timeout(deadlines.exchange)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD);
    let mut connection = http.serve_connection(TokioIo::new(Felt::new(stream, pulse.clone())), service);
    let mut stopping = pin!(async move {
        // Without a sender the process is stopping as well.
        let _gone = stop.wait_for(|stop| *stop).await;
    });
    let mut told = false;
    let mut alarm = pin!(tokio::time::sleep_until(pulse.deadline()));
    poll_fn(|cx: &mut Context<'_>| {
        if !told && stopping.as_mut().poll(cx).is_ready() {
            told = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        // How a connection breaks is the other side's matter.
        if Pin::new(&mut connection).poll(cx).is_ready() {
            return Poll::Ready(());
        }
        // Each request moves the deadline on: an alarm that rings too early now and then costs less than one
        // that is set again each time.
        if pulse.deadline() < alarm.deadline() {
            alarm.as_mut().reset(pulse.deadline());
        }
        while alarm.as_mut().poll(cx).is_ready() {
            let due = pulse.deadline();
            if due <= alarm.deadline() {
                return Poll::Ready(());
            }
            alarm.as_mut().reset(due);
        }
        Poll::Pending
    })
    .await;
}

/// One request.
async fn answer(
    shared: Arc<Shared>,
    peer: SocketAddr,
    pulse: Pulse,
    request: Request<Incoming>,
) -> Result<Response<Sent>, Infallible> {
    pulse.request();
    let proxied = shared.door.is_proxy(peer.ip());
    let client = if proxied {
        forwarded::client(request.headers(), |address| shared.door.is_proxy(address)).map(Client::at)
    } else {
        Some(Client::at(peer.ip()))
    };
    let place = match proxied.then(|| shared.door.enter_behind_proxy(peer.ip(), client)).transpose() {
        Ok(place) => place,
        Err(_full) => {
            let mut busy =
                (StatusCode::SERVICE_UNAVAILABLE, "Your address has many requests open; come again.\n").into_response();
            busy.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("10"));
            return Ok(Sent::whole(busy, pulse, None));
        }
    };
    if request.uri().path_and_query().is_some_and(|target| target.as_str().len() > MAX_TARGET) {
        let mut long = StatusCode::URI_TOO_LONG.into_response();
        long.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        return Ok(Sent::whole(long, pulse, place));
    }
    let deadline = shared.deadlines.body;
    let request =
        request.map(|body| if body.is_end_stream() { Body::empty() } else { Body::new(DeadlineBody::new(deadline, body)) });
    let response = shared.router.clone().call(request).await?;
    if let (Some(_), Some(client)) = (response.extensions().get::<Recognised>(), client) {
        shared.door.remember(client);
    }
    Ok(Sent::whole(response, pulse, place))
}

/// The body of an answer; tells the pulse when it was handed on completely, or is given up.
pub(super) struct Sent {
    body: Body,
    pulse: Pulse,
    _place: Option<Place>,
}

impl Sent {
    fn whole(response: Response<Body>, pulse: Pulse, place: Option<Place>) -> Response<Self> {
        response.map(|body| Self { body, pulse, _place: place })
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.pulse.answered();
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
