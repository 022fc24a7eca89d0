//! The shared vocabulary of participation, in the words of a city clerk.
//!
//! A public [`authority`] runs [`consultation`]s in phases; residents hand in [`contribution`]s and
//! discuss them in [`comment`]s, with a stance when they argue; the authority says how it treats each
//! contribution ([`disposition`]) and answers it ([`response`]). People come to [`meeting`]s, weigh
//! budget [`project`]s, read [`document`]s and the figures of [`poll`]s; the authority takes
//! [`decision`]s and makes [`commitment`]s; what came of it is a [`result`], told in [`progress`] updates. Around every such statement lies the same envelope, a [`record`]: one owner, a revision, a licence, and where it came from.
//! What other gateways are to us is a [`partner`], what they may do an [`agreement`]; what we sent them is a disclosure; what they
//! confirm is a [`receipt`]; what is left of a deleted record is a [`tombstone`].
//!
//! This module does no I/O: no async, no SQL, no HTTP. Values are parsed at the edge and are valid
//! inside (a [`text::SafeHtml`] is sanitised, a [`id::RecordId`] is an absolute http(s) URL).

pub mod account;
pub mod agreement;
pub mod author;
pub mod authority;
pub mod calendar;
pub mod change;
pub mod comment;
pub mod commitment;
pub mod consultation;
pub mod contribution;
pub mod decision;
pub mod digest;
pub mod disposition;
pub mod document;
pub mod fingerprint;
pub mod id;
mod markup;
pub mod meeting;
pub mod money;
pub mod partner;
pub mod personal_data;
pub mod place;
pub mod poll;
pub mod progress;
pub mod project;
pub mod receipt;
pub mod record;
pub mod response;
pub mod result;
pub mod seal;
pub mod source;
pub mod tally;
pub mod text;
pub mod theme;
pub mod time;
pub mod tombstone;
pub mod vocabulary;

pub use id::{ActorId, Class, Key, LocalId, PartnerDomain, PlatformName, RecordId, Revision};
pub use record::{Body, Record};
pub use time::{Clock, Timestamp};
