//! What a profile may write to: the properties of each class under their names in the vocabulary, and
//! which sort of value each takes. The engine knows the vocabulary; what a platform means it does not know.

use crate::domain::Class;
use crate::domain::author::AuthorKind;
use crate::domain::comment::Stance;
use crate::domain::consultation::{LifecycleState, PhaseKind, PhaseState, ProcessKind};
use crate::domain::contribution::{AuthorState, ContributionKind};
use crate::domain::disposition::DispositionState;
use crate::domain::document::DocumentKind;
use crate::domain::meeting::MeetingKind;
use crate::domain::poll::VotingMethod;
use crate::domain::progress::CommitmentState;
use crate::domain::project::ProjectState;
use crate::domain::record::ReasonCode;
use crate::domain::response::Outcome;
use crate::domain::tally::Measure;
use crate::domain::vocabulary::UnknownWord;

/// The sort of value a property takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wants {
    /// Plain text per language.
    PlainTexts,
    /// HTML of the restricted profile per language.
    HtmlTexts,
    /// One plain text without a language: an address, a role, a raw word.
    Plain,
    /// An instant.
    Instant,
    /// A language tag.
    Language,
    /// A word of an enumeration.
    Word(fn(&str) -> Result<(), UnknownWord>),
    /// Another record.
    Reference,
    /// Other records; every rule of the property contributes.
    References,
    /// A name within its record.
    Fragment,
    /// A number, or "withheld".
    Count,
    /// A day of the calendar.
    Day,
    /// An amount without its currency.
    Amount,
    /// A percentage.
    Percent,
    /// An address.
    Address,
    /// A point on the map.
    Point,
    /// A pseudonym.
    Pseudonym,
    /// A name given by the platform to one of its own things: an id, a scheme.
    Token,
}

/// One property.
#[derive(Debug, Clone, Copy)]
pub(super) struct Property {
    pub name: &'static str,
    pub wants: Wants,
}

/// A structure embedded in a record.
#[derive(Debug)]
pub(super) struct Part {
    pub name: &'static str,
    /// Whether there may be several; then every rule contributes, else the first that gives one.
    pub many: bool,
    pub properties: &'static [Property],
}

const fn property(name: &'static str, wants: Wants) -> Property {
    Property { name, wants }
}

fn word<T: std::str::FromStr<Err = UnknownWord>>(word: &str) -> Result<(), UnknownWord> {
    word.parse::<T>().map(|_| ())
}

const ENVELOPE: &[Property] = &[
    property("name", Wants::PlainTexts),
    property("summary", Wants::HtmlTexts),
    property("content", Wants::HtmlTexts),
    property("published", Wants::Instant),
    property("updated", Wants::Instant),
    property("originalLanguage", Wants::Language),
    property("reasonCode", Wants::Word(word::<ReasonCode>)),
    property("url", Wants::Address),
];

const PLACE: &[Property] = &[property("name", Wants::Plain), property("point", Wants::Point), property("sameAs", Wants::Token)];

const ENVELOPE_PARTS: &[Part] = &[
    Part {
        name: "theme",
        many: true,
        properties: &[property("id", Wants::Token), property("inScheme", Wants::Token), property("prefLabel", Wants::PlainTexts)],
    },
    Part { name: "territory", many: false, properties: PLACE },
];

const AUTHOR: Part = Part {
    name: "author",
    many: false,
    properties: &[
        property("pseudonym", Wants::Pseudonym),
        property("authorKind", Wants::Word(word::<AuthorKind>)),
        property("name", Wants::Plain),
    ],
};

const TALLY: Part = Part {
    name: "supportTally",
    many: true,
    properties: &[property("measure", Wants::Word(word::<Measure>)), property("total", Wants::Count)],
};

const CONSULTATION: &[Property] = &[
    property("processKind", Wants::Word(word::<ProcessKind>)),
    property("lifecycleState", Wants::Word(word::<LifecycleState>)),
    property("decisionScope", Wants::PlainTexts),
    property("startTime", Wants::Instant),
    property("endTime", Wants::Instant),
    property("currentPhase", Wants::Fragment),
];

const CONTRIBUTION: &[Property] = &[
    property("contributionKind", Wants::Word(word::<ContributionKind>)),
    property("process", Wants::Reference),
    property("topic", Wants::Fragment),
    property("authorState", Wants::Word(word::<AuthorState>)),
    property("commentCount", Wants::Count),
    property("amends", Wants::Reference),
];

const COMMENT: &[Property] = &[
    property("inReplyTo", Wants::Reference),
    property("process", Wants::Reference),
    property("stance", Wants::Word(word::<Stance>)),
    property("authorState", Wants::Word(word::<AuthorState>)),
];

const DISPOSITION: &[Property] = &[
    property("subject", Wants::Reference),
    property("process", Wants::Reference),
    property("dispositionState", Wants::Word(word::<DispositionState>)),
    property("rawState", Wants::Plain),
    property("mergedInto", Wants::Reference),
];

const RESPONSE: &[Property] = &[
    property("respondsTo", Wants::Reference),
    property("process", Wants::Reference),
    property("outcome", Wants::Word(word::<Outcome>)),
    property("signatoryRole", Wants::Plain),
];

const MEETING: &[Property] = &[
    property("process", Wants::Reference),
    property("meetingKind", Wants::Word(word::<MeetingKind>)),
    property("lifecycleState", Wants::Word(word::<LifecycleState>)),
    property("authorState", Wants::Word(word::<AuthorState>)),
    property("startTime", Wants::Instant),
    property("endTime", Wants::Instant),
    property("onlineAddress", Wants::Address),
    property("capacity", Wants::Count),
    property("attendance", Wants::Count),
    property("agenda", Wants::HtmlTexts),
    property("minutes", Wants::HtmlTexts),
    property("commentCount", Wants::Count),
];

const PROJECT: &[Property] = &[
    property("process", Wants::Reference),
    property("phase", Wants::Fragment),
    property("topic", Wants::Fragment),
    property("projectState", Wants::Word(word::<ProjectState>)),
    property("feasibilityReason", Wants::Plain),
    property("incompatibleWith", Wants::References),
    property("derivedFrom", Wants::References),
    property("commitments", Wants::References),
    property("commentCount", Wants::Count),
];

const POLL: &[Property] = &[
    property("process", Wants::Reference),
    property("endTime", Wants::Instant),
    property("closed", Wants::Instant),
    property("votingMethod", Wants::Word(word::<VotingMethod>)),
    property("electorate", Wants::Count),
    property("threshold", Wants::Count),
];

const DECISION: &[Property] = &[
    property("process", Wants::Reference),
    property("decisionDate", Wants::Day),
    property("decidedBy", Wants::PlainTexts),
    property("legalIdentifier", Wants::Plain),
    property("votesFor", Wants::Count),
    property("votesAgainst", Wants::Count),
    property("abstentions", Wants::Count),
    property("officialText", Wants::Address),
    property("arisesFrom", Wants::References),
];

const COMMITMENT: &[Property] = &[
    property("process", Wants::Reference),
    property("commitmentState", Wants::Word(word::<CommitmentState>)),
    property("completion", Wants::Percent),
    property("responsible", Wants::Plain),
    property("dueDate", Wants::Day),
    property("arisesFrom", Wants::References),
    property("indicator", Wants::Plain),
    property("targetValue", Wants::Count),
];

const RESULT: &[Property] = &[
    property("process", Wants::Reference),
    property("resultOf", Wants::References),
    property("inReplyTo", Wants::Reference),
    property("arisesFrom", Wants::References),
    property("fulfils", Wants::References),
    property("commitmentState", Wants::Word(word::<CommitmentState>)),
    property("rawState", Wants::Plain),
    property("completion", Wants::Percent),
    property("startTime", Wants::Instant),
    property("dueDate", Wants::Day),
    property("evidence", Wants::References),
    property("commentCount", Wants::Count),
];

const UPDATE: &[Property] = &[
    property("inReplyTo", Wants::Reference),
    property("process", Wants::Reference),
    property("commitmentState", Wants::Word(word::<CommitmentState>)),
    property("completion", Wants::Percent),
    property("evidence", Wants::References),
];

const DOCUMENT: &[Property] = &[
    property("inReplyTo", Wants::Reference),
    property("process", Wants::Reference),
    property("file", Wants::Address),
    property("mediaType", Wants::Token),
    property("byteSize", Wants::Count),
    property("documentKind", Wants::Word(word::<DocumentKind>)),
];

const CONSULTATION_PARTS: &[Part] = &[
    Part {
        name: "phases",
        many: true,
        properties: &[
            property("id", Wants::Fragment),
            property("name", Wants::PlainTexts),
            property("phaseKind", Wants::Word(word::<PhaseKind>)),
            property("phaseState", Wants::Word(word::<PhaseState>)),
            property("startTime", Wants::Instant),
            property("endTime", Wants::Instant),
        ],
    },
    Part {
        name: "topics",
        many: true,
        properties: &[
            property("id", Wants::Fragment),
            property("name", Wants::PlainTexts),
            property("summary", Wants::HtmlTexts),
        ],
    },
];

const LOCATION: Part = Part { name: "location", many: false, properties: PLACE };

const CONTRIBUTION_PARTS: &[Part] = &[AUTHOR, LOCATION, TALLY];

const MONEY: &[Property] = &[property("amount", Wants::Amount), property("currency", Wants::Token)];

const FINAL_COST: Part = Part { name: "finalCost", many: false, properties: MONEY };

const OPTION: &[Property] = &[property("name", Wants::PlainTexts), property("total", Wants::Count)];

const POLL_PARTS: &[Part] =
    &[Part { name: "oneOf", many: true, properties: OPTION }, Part { name: "anyOf", many: true, properties: OPTION }];

const COMMITMENT_PARTS: &[Part] = &[Part { name: "budget", many: false, properties: MONEY }];

const PROJECT_PARTS: &[Part] = &[
    LOCATION,
    TALLY,
    Part { name: "estimatedCost", many: false, properties: MONEY },
    Part { name: "awardedCost", many: false, properties: MONEY },
    FINAL_COST,
];

const COMMENT_PARTS: &[Part] = &[AUTHOR, TALLY];

/// The properties of a class beside the envelope.
const fn own(class: Class) -> &'static [Property] {
    match class {
        Class::Consultation => CONSULTATION,
        Class::Contribution => CONTRIBUTION,
        Class::Argument | Class::Comment => COMMENT,
        Class::Disposition => DISPOSITION,
        Class::OfficialResponse => RESPONSE,
        Class::Meeting => MEETING,
        Class::BudgetProject => PROJECT,
        Class::Poll => POLL,
        Class::Decision => DECISION,
        Class::Commitment => COMMITMENT,
        Class::Result => RESULT,
        Class::ProgressUpdate => UPDATE,
        Class::Document => DOCUMENT,
    }
}

const fn own_parts(class: Class) -> &'static [Part] {
    match class {
        Class::Consultation => CONSULTATION_PARTS,
        Class::Contribution => CONTRIBUTION_PARTS,
        Class::Argument | Class::Comment => COMMENT_PARTS,
        Class::Meeting => &[LOCATION],
        Class::BudgetProject => PROJECT_PARTS,
        Class::Result | Class::ProgressUpdate => &[FINAL_COST],
        Class::Poll => POLL_PARTS,
        Class::Commitment => COMMITMENT_PARTS,
        Class::Disposition | Class::OfficialResponse | Class::Decision | Class::Document => &[],
    }
}

/// The properties that a record rule of `class` may fill.
pub(super) fn properties(class: Class) -> impl Iterator<Item = Property> {
    ENVELOPE.iter().chain(own(class)).copied()
}

/// Whether a property takes several records, so that every rule contributes to it.
pub(super) fn takes_many(class: Class, name: &str) -> bool {
    own(class).iter().any(|property| property.name == name && matches!(property.wants, Wants::References))
}

/// The parts that a record rule of `class` may fill.
pub(super) fn parts(class: Class) -> impl Iterator<Item = &'static Part> {
    ENVELOPE_PARTS.iter().chain(own_parts(class))
}
