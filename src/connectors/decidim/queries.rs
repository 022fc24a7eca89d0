//! The questions, kept as `queries/*.graphql`, and how they adapt to what a platform has.
//!
//! Each file holds the fields of *all* generations, one field a line inside a named fragment. The probe
//! learns which of them the platform lacks (its validation errors name type and field), and
//! [`Questions`] leaves these lines out. No version number decides anything.

use std::collections::BTreeSet;

use serde::Serialize;

use super::kind::Kind;

/// A field of a type, as in `Proposal.taxonomies`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Field {
    /// The GraphQL type.
    pub on: String,
    /// The field's name.
    pub name: String,
}

impl Field {
    pub(super) fn new(on: &str, name: &str) -> Self {
        Self { on: on.to_owned(), name: name.to_owned() }
    }
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.on, self.name)
    }
}

/// The questions we ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Version,
    Types,
    Probe,
    Processes,
    Components,
    Proposals,
    Amendments,
    Places,
    Meetings,
    Results,
    Ballots,
    Budgets,
    Comments,
    SingleComments,
}

const FILES: [&str; 10] = [
    include_str!("queries/shared.graphql"),
    include_str!("queries/processes.graphql"),
    include_str!("queries/components.graphql"),
    include_str!("queries/proposals.graphql"),
    include_str!("queries/amendments.graphql"),
    include_str!("queries/places.graphql"),
    include_str!("queries/meetings.graphql"),
    include_str!("queries/results.graphql"),
    include_str!("queries/ballots.graphql"),
    include_str!("queries/budgets.graphql"),
];

impl Question {
    const fn text(self) -> &'static str {
        match self {
            Self::Version => include_str!("queries/version.graphql"),
            Self::Types => include_str!("queries/introspection.graphql"),
            Self::Probe => include_str!("queries/probe.graphql"),
            Self::Processes => include_str!("queries/processes.graphql"),
            Self::Components => include_str!("queries/components.graphql"),
            Self::Proposals => include_str!("queries/proposals.graphql"),
            Self::Amendments => include_str!("queries/amendments.graphql"),
            Self::Places => include_str!("queries/places.graphql"),
            Self::Meetings => include_str!("queries/meetings.graphql"),
            Self::Results => include_str!("queries/results.graphql"),
            Self::Ballots => include_str!("queries/ballots.graphql"),
            Self::Budgets => include_str!("queries/budgets.graphql"),
            Self::Comments => include_str!("queries/comments.graphql"),
            Self::SingleComments => include_str!("queries/single_comments.graphql"),
        }
    }
}

/// A fragment as it stands in a file.
struct Fragment {
    name: &'static str,
    on: &'static str,
    fields: Vec<&'static str>,
}

impl Fragment {
    fn all() -> Vec<Self> {
        let mut fragments: Vec<Self> = Vec::new();
        let mut inside = false;
        for line in FILES.iter().flat_map(|file| file.lines()) {
            if let Some(head) = line.strip_prefix("fragment ") {
                let mut words = head.split_whitespace();
                if let (Some(name), Some(_), Some(on)) = (words.next(), words.next(), words.next()) {
                    fragments.push(Self { name, on, fields: Vec::new() });
                    inside = true;
                }
            } else if line == "}" {
                inside = false;
            } else if let (true, Some(fragment)) = (inside, fragments.last_mut()) {
                fragment.fields.push(line.trim());
            }
        }
        fragments
    }
}

/// The name of the field that a line asks for.
fn field_of(line: &str) -> &str {
    line.split([' ', '(', '{']).next().unwrap_or(line)
}

/// The questions as one platform understands them.
#[derive(Debug, Clone, Default)]
pub(super) struct Questions {
    lacking: BTreeSet<Field>,
    /// Sorts of components that the installation does not have at all.
    absent: BTreeSet<Kind>,
}

impl Questions {
    /// Every field that we know how to ask for by name.
    pub(super) fn candidates() -> BTreeSet<Field> {
        let fields = |fragment: &Fragment| -> Vec<Field> {
            fragment.fields.iter().map(|line| Field::new(fragment.on, field_of(line))).collect()
        };
        Fragment::all().iter().flat_map(fields).collect()
    }

    /// Remembers a field that the platform lacks; false when it was known already, or is not one of ours.
    pub(super) fn lacks(&mut self, field: Field) -> bool {
        Self::candidates().contains(&field) && self.lacking.insert(field)
    }

    /// Remembers that the installation does not understand questions about such components.
    pub(super) fn has_no(&mut self, kind: Kind) {
        self.absent.insert(kind);
    }

    /// Whether the installation has such components.
    pub(super) fn know(&self, kind: Kind) -> bool {
        !self.absent.contains(&kind)
    }

    /// The sorts of components that the installation does not have.
    pub(super) fn absent(&self) -> impl Iterator<Item = &'static str> {
        self.absent.iter().map(|kind| kind.type_name())
    }

    /// The fields that the platform lacks.
    pub(super) const fn lacking(&self) -> &BTreeSet<Field> {
        &self.lacking
    }

    /// These questions without one more field.
    pub(super) fn without(&self, on: &str, name: &str) -> Self {
        let mut questions = self.clone();
        questions.lacking.insert(Field::new(on, name));
        questions
    }

    /// The text of a question.
    pub(super) fn text(&self, question: Question) -> String {
        self.text_on(question, Kind::Proposals)
    }

    /// The text of a question about components of one sort.
    pub(super) fn text_on(&self, question: Question, kind: Kind) -> String {
        self.text_with(question, kind, "")
    }

    /// The text of a question whose place for what is asked is filled in.
    pub(super) fn text_with(&self, question: Question, kind: Kind, asked: &str) -> String {
        let fill = |line: &str| {
            let line = line.replace("{TYPE}", kind.type_name()).replace("{LIST}", kind.list());
            line.replace("{ONE}", kind.one_type()).replace("{ASKED}", asked)
        };
        // The remarks at the head speak of the places that are filled in.
        let lines = question.text().lines().filter(|line| !line.starts_with('#'));
        self.with_fragments(&lines.map(fill).collect::<Vec<_>>().join("\n"))
    }

    /// The question for the fields of some sorts of components, each of which stands on lines of its own.
    pub(super) fn probing(&self, kinds: &[Kind]) -> String {
        let of = |line: &str| Kind::ALL.into_iter().find(|kind| line.contains(&format!("... on {} {{", kind.type_name())));
        let lines = Question::Probe.text().lines().filter(|line| of(line).is_none_or(|kind| kinds.contains(&kind)));
        self.with_fragments(&lines.collect::<Vec<_>>().join("\n"))
    }

    /// A question with the fragments that it names, and without the fields that the platform lacks.
    fn with_fragments(&self, question: &str) -> String {
        let mut text = String::new();
        for line in question.lines().take_while(|line| !line.starts_with("fragment ")) {
            if !line.starts_with('#') {
                text.push_str(line);
                text.push('\n');
            }
        }
        let fragments = Fragment::all();
        let mut done: BTreeSet<&str> = BTreeSet::new();
        // A fragment may spread another one: go on until nothing new is named.
        while let Some(fragment) = fragments.iter().find(|f| !done.contains(f.name) && spreads(&text, f.name)) {
            done.insert(fragment.name);
            let kept = fragment.fields.iter().filter(|line| !self.lacking.contains(&Field::new(fragment.on, field_of(line))));
            let kept: Vec<&str> = kept.copied().collect();
            let body = if kept.is_empty() { "__typename".to_owned() } else { kept.join("\n  ") };
            text.extend(["fragment ", fragment.name, " on ", fragment.on, " {\n  ", &body, "\n}\n"]);
        }
        text
    }
}

fn spreads(text: &str, name: &str) -> bool {
    let spread = format!("...{name}");
    text.match_indices(&spread).any(|(at, _)| {
        let next = text[at + spread.len()..].chars().next();
        !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_a_fragment_is_one_whole_field() {
        for fragment in Fragment::all() {
            assert!(!fragment.fields.is_empty(), "{}", fragment.name);
            for line in fragment.fields {
                assert_eq!(line.matches('{').count(), line.matches('}').count(), "{}: {line}", fragment.name);
                assert!(!line.is_empty() && !line.starts_with('#'), "{}: {line}", fragment.name);
            }
        }
    }

    #[test]
    fn a_field_that_the_platform_lacks_is_not_asked_and_takes_its_fragments_along() {
        let mut questions = Questions::default();
        assert!(questions.text(Question::Proposals).contains("fragment TaxonomyFields on Taxonomy"));
        assert!(questions.lacks(Field::new("Proposal", "taxonomies")));
        assert!(!questions.lacks(Field::new("Proposal", "taxonomies")), "known already");
        assert!(!questions.lacks(Field::new("Proposal", "nonsense")), "not one of ours");
        let text = questions.text(Question::Proposals);
        assert!(!text.contains("taxonomies") && !text.contains("TaxonomyFields"), "{text}");
        assert!(text.contains("fragment CategoryFields on Category"));
    }

    #[test]
    fn gdpr_18_no_question_asks_for_personal_data() {
        // Words of the two schemas that hold something about a person beyond the account's number.
        let personal = [
            "nickname",
            "avatarUrl",
            "profilePath",
            "email",
            "phone",
            "birth",
            "badge",
            "organizationName",
            "editor",
            "amender",
            "likes {",
            "endorsements {",
            "publicParticipants",
            "registrationForm",
            "onlineMeetingUrl",
            "versions",
            "users",
            "formattedCreatedAt",
            "sgid",
            "fingerprint",
            "heroImage",
            "thumbnail",
        ];
        let every = [
            Question::Version,
            Question::Types,
            Question::Probe,
            Question::Processes,
            Question::Components,
            Question::Proposals,
            Question::Amendments,
            Question::Places,
            Question::Meetings,
            Question::Results,
            Question::Ballots,
            Question::Budgets,
            Question::Comments,
            Question::SingleComments,
        ];
        for (question, kind) in every.into_iter().flat_map(|question| Kind::ALL.map(|kind| (question, kind))) {
            let text = Questions::default().text_on(question, kind);
            for word in personal {
                assert!(!text.contains(word), "{question:?} asks for {word}");
            }
            for person in text.split("on Author {").skip(1) {
                let fields: Vec<&str> = person.split('}').next().unwrap().split_whitespace().collect();
                assert_eq!(fields, ["__typename", "id"], "of a person only the number is asked");
            }
        }
    }

    #[test]
    fn comments_never_travel_with_the_fields_of_their_proposal() {
        let questions = Questions::default();
        assert!(!questions.text(Question::Proposals).contains("comments("));
        let comments = questions.without("Comment", "author").text(Question::Comments);
        assert!(!comments.contains("author") && !comments.contains("title"), "{comments}");
        assert_eq!(comments.matches("comments(").count(), 2, "the same field may not be nested three times");
    }
}
