//! A platform that says too much: in front of a simulated one, it puts e-mail addresses, telephone numbers, IP
//! addresses, birth dates and document numbers into every object of its answers and every row of its open data,
//! unasked, as a careless plugin would.

use std::io::{Cursor, Read, Write};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use passerelle::demo::platform::SimulatedDecidim;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// What is said of persons: name and value. The values occur nowhere else.
pub const CANARIES: [(&str, &str); 5] = [
    ("email", "canari.personne@exemple-canari.org"),
    ("phone", "+33 6 39 98 76 54"),
    ("currentSignInIp", "203.0.113.77"),
    ("birthDate", "1931-07-13"),
    ("documentNumber", "CANARI-88-1931"),
];

/// The platform behind its leak.
pub struct Leaky {
    address: std::net::SocketAddr,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Leaky {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Clone)]
struct Behind {
    url: String,
    client: reqwest::Client,
}

impl Leaky {
    /// Starts in front of `platform`.
    #[expect(clippy::disallowed_methods, reason = "it passes on what others ask, as a proxy does")]
    pub async fn before(platform: &SimulatedDecidim) -> Self {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().expect("a client");
        let behind = Behind { url: platform.url().trim_end_matches('/').to_owned(), client };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().fallback(pass_on).with_state(behind);
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { address, server }
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

async fn pass_on(State(behind): State<Behind>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a question");
    let answer = ask(&behind, &parts, &body).await;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let said = answer.bytes().await.expect("an answer");
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let said = if kind.contains("json") {
        plant(&said, &body)
    } else if said.starts_with(b"PK") {
        Bytes::from(plant_in_archive(&said))
    } else {
        said
    };
    let mut response = Response::new(Body::from(said));
    *response.status_mut() = status;
    for name in [header::CONTENT_TYPE, header::LOCATION, header::CONTENT_DISPOSITION] {
        if let Some(value) = headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

async fn ask(behind: &Behind, parts: &Parts, body: &Bytes) -> reqwest::Response {
    let target = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = HeaderMap::new();
    for name in [header::CONTENT_TYPE, header::ACCEPT, header::HOST, header::USER_AGENT] {
        if let Some(value) = parts.headers.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    let request = behind.client.request(parts.method.clone(), format!("{}{target}", behind.url));
    request.headers(headers).body(body.clone()).send().await.expect("the platform answers")
}

/// Into every object of the data; what the platform says of its schema stays.
fn plant(answer: &Bytes, question: &Bytes) -> Bytes {
    if String::from_utf8_lossy(question).contains("__schema") || String::from_utf8_lossy(question).contains("__type(") {
        return answer.clone();
    }
    let mut document: Value = serde_json::from_slice(answer).expect("JSON");
    into(&mut document["data"]);
    document.to_string().into()
}

fn into(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(into);
            for (name, canary) in CANARIES {
                object.entry(name).or_insert_with(|| json!(canary));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(into),
        _ => {}
    }
}

/// Into every row of every table.
fn plant_in_archive(archive: &[u8]) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(archive)).expect("an archive");
    let mut leaky = ZipWriter::new(Cursor::new(Vec::new()));
    for n in 0..archive.len() {
        let mut entry = archive.by_index(n).expect("an entry");
        let name = entry.name().expect("a name").into_owned();
        let mut text = Vec::new();
        entry.read_to_end(&mut text).expect("it is whole");
        leaky.start_file(name.as_str(), SimpleFileOptions::default()).expect("an entry");
        let text = if name.to_ascii_lowercase().ends_with(".csv") { plant_in_rows(&text) } else { text };
        leaky.write_all(&text).expect("it is written");
    }
    leaky.finish().expect("an archive").into_inner()
}

fn plant_in_rows(text: &[u8]) -> Vec<u8> {
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').flexible(true).has_headers(false).from_reader(text);
    let mut writer = csv::WriterBuilder::new().delimiter(b';').flexible(true).from_writer(Vec::new());
    for (n, row) in reader.byte_records().enumerate() {
        let mut row = row.expect("a row");
        for (name, canary) in CANARIES {
            row.push_field(if n == 0 { name } else { canary }.as_bytes());
        }
        writer.write_byte_record(&row).expect("a row");
    }
    writer.into_inner().expect("it is whole")
}
