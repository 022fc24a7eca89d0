//! Invented records and partners of the size that cities publish: about a kilobyte a record as it travels.

use std::sync::Arc;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::domain::contribution::{AuthorState, Contribution, ContributionKind};
use crate::domain::digest::Digest;
use crate::domain::partner::{FollowState, Partner, PartnerKind};
use crate::domain::record::ModerationState;
use crate::domain::seal::{Seal, Sealed};
use crate::domain::text::{LanguageTag, Localized, PlainText, SafeHtml};
use crate::domain::{ActorId, Body, Class, Key, PartnerDomain, Record, RecordId, Timestamp};
use crate::federation::keys::{KeyMaterial, Keys};
use crate::federation::seal::Sealer;

const WORDS: &str = "<p>Nous demandons un banc sous le tilleul de la place, une fontaine qui coule en été et un passage \
    plus sûr vers l’école : les voitures y roulent trop vite et le trottoir est étroit.</p>";

/// Key pairs on their way to another process. They sign nothing outside of a measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Pairs {
    ed25519: String,
    rsa: String,
}

impl Pairs {
    pub(super) fn of(keys: &Keys) -> anyhow::Result<Self> {
        let KeyMaterial { ed25519, rsa } = keys.material()?;
        let text = |bytes: &[u8]| data_encoding::BASE64.encode(bytes);
        Ok(Self { ed25519: text(&ed25519), rsa: text(&rsa) })
    }

    /// The same pairs, owned by another actor: making a thousand RSA keys would take a minute.
    pub(super) fn owned_by(&self, actor: ActorId) -> anyhow::Result<Keys> {
        let bytes = |text: &str| data_encoding::BASE64.decode(text.as_bytes()).context("keys of another process");
        let material = KeyMaterial { ed25519: bytes(&self.ed25519)?, rsa: bytes(&self.rsa)? };
        Ok(Keys::from_material(actor, &material)?)
    }
}

/// The address of the `n`th contribution of a city.
pub(super) fn id(public_url: &Url, n: u64) -> anyhow::Result<RecordId> {
    let key: Key = Key::digest_of(format!("contribution {n}").as_bytes());
    RecordId::ours(public_url, Class::Contribution, &key).context("an address")
}

/// The `n`th contribution of a city.
pub(super) fn contribution(public_url: &Url, n: u64, at: Timestamp) -> anyhow::Result<Record> {
    let process: Key = "consultation-1".parse()?;
    let french = LanguageTag::french();
    let title = PlainText::new(&format!("Un banc de plus sur la place, proposition {n}")).context("a title")?;
    Ok(Record {
        id: id(public_url, n)?,
        authority: ActorId::of_gateway(public_url)?,
        revision: 1,
        published: Some(at.whole_second()),
        updated: None,
        language: french.clone(),
        title: Some(Localized::one(french.clone(), title)),
        summary: None,
        content: Some(Localized::one(french, SafeHtml::new(WORDS).context("words")?)),
        translations: Vec::new(),
        licence: "https://www.etalab.gouv.fr/licence-ouverte-open-licence".parse()?,
        themes: Vec::new(),
        territory: None,
        moderation: ModerationState::Visible,
        reason: None,
        personal_data: None,
        source: None,
        mapping: None,
        salt: None,
        body: Body::Contribution(Contribution {
            kind: ContributionKind::Proposal,
            process: RecordId::ours(public_url, Class::Consultation, &process)?,
            topic: None,
            author_state: AuthorState::Published,
            author: None,
            location: None,
            tallies: Vec::new(),
            comment_count: None,
            amends: None,
            untitled: false,
        }),
    })
}

/// The bytes of a record as they travel.
pub(super) fn sealed(keys: &Keys, record: &Record, at: Timestamp) -> anyhow::Result<Sealed> {
    Ok(Sealer::new(keys.clone()).record(record, None, at)?)
}

/// Bytes that take up the room of sealed ones: what only lies in the store costs no signature to make.
pub(super) fn filler(pattern: &Sealed, pattern_id: &RecordId, id: &RecordId) -> anyhow::Result<Sealed> {
    let text = std::str::from_utf8(&pattern.bytes)?.replace(pattern_id.as_str(), id.as_str());
    Ok(Sealed { digest: Digest::of(text.as_bytes()), bytes: text.into_bytes().into() })
}

/// The `n`th partner, or reader, behind `port`; it follows us.
pub(super) fn partner(kind: PartnerKind, n: u64, port: u16, keys: Option<&Arc<Keys>>, at: Timestamp) -> anyhow::Result<Partner> {
    let url = host(n, port)?;
    let actor = ActorId::of_gateway(&url)?;
    let name = |suffix: &str| format!("{actor}#{suffix}");
    let pinned = keys.filter(|_| kind == PartnerKind::Partner);
    Ok(Partner {
        domain: PartnerDomain::of(&url),
        kind,
        name: format!("City {n}"),
        inbox: url.join("/actor/inbox")?.to_string(),
        records: pinned.map(|_| format!("{actor}/records")),
        key: pinned.map(|keys| keys.multikey().clone()),
        key_id: pinned.map(|_| name("ed25519-key")),
        rsa: keys.map(|keys| (keys.rsa_pem().to_owned(), name("main-key"))),
        follows_us: FollowState::Accepted,
        followed: FollowState::None,
        since: at,
        actor,
    })
}

/// The same, following nobody any more.
pub(super) fn silent(partner: Partner) -> Partner {
    Partner { follows_us: FollowState::None, ..partner }
}

/// Where the `n`th partner lives.
pub(super) fn host(n: u64, port: u16) -> anyhow::Result<Url> {
    Ok(format!("http://p{n}.localhost:{port}/").parse()?)
}
