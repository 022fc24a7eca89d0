//! The pages the law wants (accessibility, legal notice, personal data), and help, contact, site map,
//! eco-design: short and honest; what the city has not filled in says so.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;

use super::page;
use crate::web::answer::{Answer, Sharing};
use crate::web::error::WebError;
use crate::web::frame::Frame;
use crate::web::html::Html;
use crate::web::i18n::{Arg, Texts};
use crate::web::language::Language;
use crate::web::names::place_of;
use crate::web::site::{self, Conformity};
use crate::web::state::WebState;
use crate::web::urls::Address;
use crate::web::visit::Visit;

/// A page of running text.
#[derive(Debug, Template)]
#[template(path = "article.html", config = "src/web/askama.toml")]
pub struct ArticlePage {
    /// The frame; its title is the heading.
    pub f: Frame,
    /// The parts, in order.
    pub parts: Vec<Part>,
}

/// A part of a text under its own heading.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// The heading.
    pub heading: Option<String>,
    /// Paragraphs.
    pub lines: Vec<Html>,
    /// A list.
    pub items: Vec<Html>,
    /// Terms and what they are.
    pub facts: Vec<(String, Html)>,
    /// Something to be read letter by letter.
    pub code: Option<String>,
}

impl Part {
    fn opening(lines: Vec<Html>) -> Self {
        Self { lines, ..Self::default() }
    }

    fn under(texts: &Texts, key: &str, lines: Vec<Html>) -> Self {
        Self { heading: Some(texts.say(key)), lines, ..Self::default() }
    }
}

/// The addresses with an English alias.
pub const ALIASES: [(&str, &str); 7] = [
    ("/accessibility", "/accessibilite"),
    ("/legal", "/mentions-legales"),
    ("/privacy", "/donnees-personnelles"),
    ("/sitemap", "/plan-du-site"),
    ("/help", "/aide"),
    ("/eco-design", "/eco-conception"),
    ("/legal-notice", "/mentions-legales"),
];

/// `GET` of an alias: to the page itself, in English where the site speaks it.
pub async fn alias(State(web): State<WebState>, visit: Visit) -> Response {
    let target = ALIASES.iter().find(|(from, _)| *from == visit.path).map_or("/", |(_, to)| *to);
    let language = visit.carried.or_else(|| Language::among(&web.site().languages, Language::English.tag()));
    Redirect::permanent(&Address::fixed(target).href(language)).into_response()
}

/// `GET /accessibilite`.
pub async fn accessibility(State(web): State<WebState>, visit: Visit) -> Result<Answer, WebError> {
    let Writer { texts, city, .. } = Writer::new(&web, &visit);
    let say = |key: &str| texts.html(key, &[("city", Arg::Name(&city))]);
    let contact = Html::link(&Address::fixed("/contact").href(visit.carried), &Html::text(&texts.say("nav-contact")));
    let today = texts.day_of(web.clock().now());
    let audit = web.site().audit.as_ref();
    let mut parts = match audit {
        Some(audit) if today.is_some_and(|today| audit.counts_on(today)) => {
            let sentence = match audit.result {
                Conformity::Full => "a11y-audited-full",
                Conformity::Partial => "a11y-audited-partial",
                Conformity::None => "a11y-audited-none",
            };
            let mut lines = vec![say("a11y-1"), texts.html(sentence, &[("day", Arg::Html(&texts.date_tag(audit.day)))])];
            lines.extend(audit.report.as_ref().map(|report| {
                let report = Html::link_out(report.as_str(), &Html::text(report.as_str()));
                texts.html("a11y-results", &[("report", Arg::Html(&report))])
            }));
            lines.push(say("a11y-3"));
            vec![Part::opening(lines)]
        }
        _ => {
            let no_audit = match audit {
                Some(audit) => texts.html("a11y-expired-sentence", &[("day", Arg::Html(&texts.date_tag(audit.day)))]),
                None => say("a11y-none-sentence"),
            };
            vec![
                Part::opening(vec![say("a11y-1"), no_audit]),
                Part::under(&texts, "a11y-why", vec![say("a11y-2"), say("a11y-3")]),
            ]
        }
    };
    parts.extend([
        Part::under(&texts, "a11y-report", vec![texts.html("a11y-4", &[("contact", Arg::Html(&contact))]), say("a11y-5")]),
        Part::under(&texts, "a11y-appeal", vec![say("a11y-6")]),
    ]);
    write(&web, &visit, "/accessibilite", "a11y-title", parts)
}

/// `GET /mentions-legales`.
pub async fn legal(State(web): State<WebState>, visit: Visit) -> Result<Answer, WebError> {
    let writer = Writer::new(&web, &visit);
    let legal = &web.site().legal;
    let publisher = legal.publisher.clone().or_else(|| Some(web.city(visit.language)));
    let facts = vec![
        writer.fact("legal-publisher", publisher.as_ref()),
        writer.fact("legal-director", legal.director.as_ref()),
        writer.fact("legal-address", legal.address.as_ref()),
        writer.fact("legal-telephone", legal.telephone.as_ref()),
        writer.fact("legal-contact", legal.contact.as_ref()),
        writer.fact("legal-host", legal.host.as_ref()),
    ];
    let texts = &writer.texts;
    let parts = vec![
        Part { facts, ..Part::default() },
        Part::under(
            texts,
            "legal-content",
            vec![texts.html("legal-content-1", &[("city", Arg::Name(&writer.city))]), Html::text(&texts.say("legal-content-2"))],
        ),
        Part::under(texts, "legal-software", vec![Html::text(&texts.say("legal-software-1"))]),
    ];
    write(&web, &visit, "/mentions-legales", "legal-title", parts)
}

/// `GET /donnees-personnelles`.
pub async fn privacy(State(web): State<WebState>, visit: Visit) -> Result<Answer, WebError> {
    let Writer { texts, city, .. } = Writer::new(&web, &visit);
    let rights = web.authority().rights_contact.as_str();
    let contact = if rights == Address::fixed("/donnees-personnelles").absolute(web.public_url(), None) {
        // The default is this very page of ours: the contact page says whom to write to.
        Html::link(&Address::fixed("/contact").href(visit.carried), &Html::text(&texts.say("nav-contact")))
    } else if rights.starts_with("http") || rights.starts_with("mailto:") {
        Html::link_out(rights, &Html::text(rights.trim_start_matches("mailto:")))
    } else {
        Html::text(rights)
    };
    let values = [("city", Arg::Name(city.as_str())), ("contact", Arg::Html(&contact))];
    let line = |key: &str| texts.html(key, &values);
    let parts = vec![
        Part::opening(vec![line("privacy-1")]),
        Part::under(&texts, "privacy-visitors", vec![line("privacy-2")]),
        Part::under(&texts, "privacy-authors", vec![line("privacy-3"), line("privacy-4")]),
        Part::under(&texts, "privacy-partners", vec![line("privacy-5"), line("privacy-6")]),
        Part::under(&texts, "privacy-rights", vec![line("privacy-7")]),
    ];
    write(&web, &visit, "/donnees-personnelles", "privacy-title", parts)
}

/// `GET /aide`.
pub async fn help(State(web): State<WebState>, visit: Visit) -> Result<Answer, WebError> {
    let Writer { texts, city, .. } = Writer::new(&web, &visit);
    let line = |key: &str| texts.html(key, &[("city", Arg::Name(&city))]);
    let part = |heading: &str, keys: &[&str]| Part::under(&texts, heading, keys.iter().map(|key| line(key)).collect());
    let parts = vec![
        Part::opening(vec![line("help-1")]),
        part("help-copy", &["help-copy-1", "help-copy-2"]),
        part("help-hidden", &["help-hidden-1", "help-hidden-2"]),
        part("help-counts", &["help-counts-1"]),
        part("help-json", &["help-json-1"]),
        part("help-fediverse", &["fedi-note", "help-fediverse-1"]),
    ];
    write(&web, &visit, "/aide", "help-title", parts)
}

/// `GET /contact`.
pub async fn contact(State(web): State<WebState>, visit: Visit) -> Result<Answer, WebError> {
    let writer = Writer::new(&web, &visit);
    let legal = &web.site().legal;
    let facts = vec![
        writer.fact("legal-contact", legal.contact.as_ref()),
        writer.fact("legal-address", legal.address.as_ref()),
        writer.fact("legal-telephone", legal.telephone.as_ref()),
    ];
    let platforms = web
        .site()
        .platforms
        .iter()
        .map(|platform| Html::link_out(platform.url.as_str(), &Html::text(platform.url.host_str().unwrap_or_default())));
    let texts = &writer.texts;
    let mut parts = vec![
        Part { lines: vec![texts.html("contact-1", &[("city", Arg::Name(&writer.city))])], facts, ..Part::default() },
        Part::under(texts, "contact-a11y", vec![Html::text(&texts.say("contact-a11y-1"))]),
    ];
    let items: Vec<Html> = platforms.collect();
    if !items.is_empty() {
        parts.insert(
            1,
            Part { items, ..Part::under(texts, "contact-platforms", vec![Html::text(&texts.say("contact-platforms-1"))]) },
        );
    }
    write(&web, &visit, "/contact", "contact-title", parts)
}

/// `GET /eco-conception`: the limits that tests hold the pages to (UI-55).
pub async fn eco(State(web): State<WebState>, visit: Visit) -> Result<Answer, WebError> {
    let Writer { texts, .. } = Writer::new(&web, &visit);
    let items = ["eco-requests", "eco-script", "eco-fonts", "eco-css", "eco-third", "eco-cache"];
    let parts = vec![
        Part {
            items: items.iter().map(|key| Html::text(&texts.say(key))).collect(),
            ..Part::opening(vec![Html::text(&texts.say("eco-1"))])
        },
        Part::opening(vec![Html::text(&texts.say("eco-2"))]),
    ];
    write(&web, &visit, "/eco-conception", "eco-title", parts)
}

/// `GET /plan-du-site`.
pub async fn sitemap(State(web): State<WebState>, visit: Visit) -> Result<Answer, WebError> {
    let reading = web.reading(&visit).await?;
    let desk = &reading.desk;
    let texts = &desk.texts;
    let fixed = |path: &str, key: &str| Html::link(&desk.link(&Address::fixed(path)), &Html::text(&texts.say(key)));
    let held = reading.partner_domains().into_iter().flat_map(|domain| {
        let city = desk.city_at(&domain);
        let about = Html::link(&desk.link(&Address::partner(&domain)), &texts.html("held-about", &[("city", Arg::Name(&city))]));
        let list = Html::link(&desk.link(&Address::held(&domain)), &texts.html("held-link", &[("city", Arg::Name(&city))]));
        [about, list]
    });
    let mut exchange = vec![fixed("/partners", "nav-partners")];
    exchange.extend(held);
    let parts = vec![
        Part {
            items: vec![
                fixed("/", "nav-home"),
                fixed("/consultations", "nav-consultations"),
                fixed("/commitments", "nav-commitments"),
            ],
            ..Part::under(texts, "sitemap-read", Vec::new())
        },
        Part { items: exchange, ..Part::under(texts, "sitemap-exchange", Vec::new()) },
        Part {
            items: vec![
                fixed("/aide", "nav-help"),
                fixed("/contact", "nav-contact"),
                fixed("/accessibilite", "a11y-title"),
                fixed("/mentions-legales", "nav-legal"),
                fixed("/donnees-personnelles", "nav-privacy"),
                fixed("/eco-conception", "nav-eco"),
                fixed("/plan-du-site", "nav-sitemap"),
            ],
            ..Part::under(texts, "sitemap-about", Vec::new())
        },
        Part {
            items: vec![fixed("/source", "nav-source"), fixed("/ns", "nav-vocabulary")],
            ..Part::under(texts, "sitemap-machines", Vec::new())
        },
    ];
    write(&web, &visit, "/plan-du-site", "sitemap-title", parts)
}

/// Where the archive of the source code is offered.
pub const SOURCE_ARCHIVE: &str = "/source/passerelle.tar";

/// `GET /source/passerelle.tar`.
pub async fn source_archive() -> Answer {
    // Large and hardly ever asked for: it has no place among the pages that are kept.
    let archive = Bytes::from_static(site::SOURCE_ARCHIVE);
    Answer { sharing: Sharing::ByQuery, noindex: true, ..Answer::bytes(StatusCode::OK, "application/x-tar", archive) }
}

/// `GET /source`: the source code of what runs here (AGPL §13).
pub async fn source(State(web): State<WebState>, visit: Visit) -> Result<Answer, WebError> {
    let Writer { texts, .. } = Writer::new(&web, &visit);
    let source = &web.site().source;
    let size = (site::SOURCE_ARCHIVE.len() as u64).div_ceil(1_000_000);
    let archive = Html::link(SOURCE_ARCHIVE, &texts.html("source-archive-words", &[("size", Arg::Number(size))]));
    let mut facts = vec![(texts.say("source-archive"), archive)];
    if source.repository.starts_with("http") {
        facts.push((texts.say("source-repository"), Html::link_out(&source.repository, &Html::text(&source.repository))));
    }
    let commit = source.commit.clone().unwrap_or_else(|| texts.say("source-commit-unknown"));
    facts.extend([
        (texts.say("source-version"), Html::text(source.version)),
        (texts.say("source-commit"), Html::text(&commit)),
        (texts.say("source-licence"), Html::text("GNU AGPL 3.0")),
    ]);
    let parts = vec![Part { facts, ..Part::opening(vec![Html::text(&texts.say("source-1"))]) }];
    write(&web, &visit, "/source", "source-title", parts)
}

/// `GET /ns`: the vocabulary, for people.
pub async fn vocabulary(State(web): State<WebState>, visit: Visit) -> Result<Answer, WebError> {
    let Writer { texts, .. } = Writer::new(&web, &visit);
    let classes = crate::domain::Class::ALL.iter().map(|class| {
        let key = format!("class-{}", class.word().to_ascii_lowercase());
        (class.word().to_owned(), Html::text(&texts.say(&key)))
    });
    let context = Html::link("/ns/v1", &Html::text("/ns/v1"));
    let parts = vec![
        Part::opening(vec![Html::text(&texts.say("ns-1")), texts.html("ns-2", &[("context", Arg::Html(&context))])]),
        Part { facts: classes.collect(), ..Part::under(&texts, "ns-classes", Vec::new()) },
    ];
    write(&web, &visit, "/ns", "ns-title", parts)
}

/// What every one of these pages begins with.
struct Writer {
    texts: Texts,
    city: String,
}

impl Writer {
    fn new(web: &WebState, visit: &Visit) -> Self {
        Self { texts: web.texts(visit.language), city: place_of(&web.city(visit.language)).into_owned() }
    }

    fn fact(&self, key: &str, value: Option<&String>) -> (String, Html) {
        (self.texts.say(key), Html::text(value.unwrap_or(&self.texts.say("to-complete"))))
    }
}

/// Writes a page of running text.
pub fn write(web: &WebState, visit: &Visit, path: &str, title: &str, parts: Vec<Part>) -> Result<Answer, WebError> {
    let f = web.frame(visit, web.texts(visit.language).say(title), Address::fixed(path));
    page(StatusCode::OK, &ArticlePage { f, parts })
}
