//! A record in a list: kind, title, origin, state, first words, topic, where and when, counts.

use super::count;
use super::desk::{Desk, class_key};
use super::held::{Held, Origin, Standing};
use super::state::Tag;
use super::words::{Words, said};
use crate::domain::consultation::Topic;
use crate::domain::disposition::Disposition;
use crate::domain::record::{Body, Record};
use crate::web::html::Html;
use crate::web::i18n::Arg;

/// One card.
#[derive(Debug, Clone)]
pub struct Card {
    /// What it is.
    pub kind: String,
    /// Its title.
    pub title: Words,
    /// Its page.
    pub href: String,
    /// Where it comes from, when not from here.
    pub origin: Option<Tag>,
    /// Where it stands.
    pub state: Option<Tag>,
    /// Its first words.
    pub excerpt: Option<Words>,
    /// Themes, place, dates, counts.
    pub details: Vec<Html>,
}

/// A topic of a consultation, with the name of its place in the consultation's page.
#[derive(Debug, Clone)]
pub struct TopicView {
    /// Its fragment, for example `topic-3`.
    pub fragment: String,
    /// What it is called.
    pub words: Words,
}

/// The topics that may be seen of a consultation.
fn topics_of(process: &Held) -> &[Topic] {
    match process.visible().map(|record| &record.body) {
        Some(Body::Consultation(body)) => &body.topics,
        _ => &[],
    }
}

impl Desk {
    /// The card of a record; `disposition` is how its host treats it, where that is known.
    #[must_use]
    pub fn card(&self, held: &Held, disposition: Option<&Disposition>) -> Card {
        let origin = match &held.origin {
            Origin::Ours => None,
            Origin::Partner(_) => Some(Tag::copy(&self.texts, &self.city_of(&held.origin))),
        };
        let title = self.name_of(held);
        let record = held.visible();
        let excerpt = record.filter(|record| record.title.is_some()).and_then(|record| self.wanted.excerpt(record));
        Card {
            kind: self.texts.say(&class_key(held)),
            title,
            href: self.link(&self.page_of(held)),
            origin,
            state: self.state(held, disposition),
            excerpt,
            details: record.map_or_else(Vec::new, |record| self.details(held, record)),
        }
    }

    /// The same in a list of one consultation, with the topic it is put under where there are several.
    #[must_use]
    pub fn card_in(&self, process: &Held, held: &Held, disposition: Option<&Disposition>) -> Card {
        let mut card = self.card(held, disposition);
        let topics = topics_of(process);
        if topics.len() > 1
            && let Some(topic) = self.topic_of(held, process)
        {
            card.details.insert(0, topic.words.span());
        }
        card
    }

    /// The topic of `process` that a contribution or a project is put under.
    #[must_use]
    pub fn topic_of(&self, held: &Held, process: &Held) -> Option<TopicView> {
        let named = match &held.visible()?.body {
            Body::Contribution(body) => body.topic.as_ref(),
            Body::BudgetProject(body) => body.topic.as_ref(),
            _ => None,
        };
        let topic = topics_of(process).iter().find(|topic| Some(&topic.fragment) == named)?;
        self.topic(topic, process.visible()?)
    }

    /// A topic of a consultation.
    #[must_use]
    pub fn topic(&self, topic: &Topic, consultation: &Record) -> Option<TopicView> {
        Some(TopicView { fragment: topic.fragment.clone(), words: self.wanted.line(&topic.name, consultation)? })
    }

    /// Where a record stands, as far as it and its disposition say.
    #[must_use]
    pub fn state(&self, held: &Held, disposition: Option<&Disposition>) -> Option<Tag> {
        let texts = &self.texts;
        match held.standing {
            Standing::Hidden => return Some(Tag { word: texts.say("state-hidden"), tint: "wait" }),
            Standing::Deleted => return Some(Tag { word: texts.say("state-deleted"), tint: "wait" }),
            Standing::Live => {}
        }
        if held.is_withdrawn() {
            return Some(Tag::withdrawn(texts));
        }
        match &held.record.as_ref()?.body {
            Body::Consultation(body) => body.lifecycle_at(self.now).map(|state| Tag::lifecycle(texts, state)),
            Body::Contribution(_) => disposition.map(|disposition| Tag::disposition(texts, disposition)),
            Body::Disposition(body) => Some(Tag::disposition(texts, body)),
            Body::OfficialResponse(body) => body.outcome.map(|outcome| Tag::outcome(texts, outcome)),
            Body::Meeting(body) => Tag::meeting(texts, body, self.now),
            Body::BudgetProject(body) => body.state.map(|state| Tag::project(texts, state)),
            Body::Poll(body) => Tag::poll(texts, body, self.now),
            Body::Commitment(body) => Tag::promise(texts, body, self.today()),
            Body::Result(body) => Tag::commitment(texts, body.state, body.raw_state.as_deref()),
            Body::ProgressUpdate(body) => Tag::commitment(texts, body.state, None),
            Body::Comment(_) | Body::Decision(_) | Body::Document(_) => None,
        }
    }

    fn details(&self, held: &Held, record: &Record) -> Vec<Html> {
        let texts = &self.texts;
        let mut details: Vec<Html> = record.themes.iter().take(3).map(|theme| self.wanted.label(&theme.label).span()).collect();
        match &record.body {
            Body::Consultation(body) => {
                details.extend(
                    body.ends.map(|ends| {
                        texts.html(if ends > self.now { "until-day" } else { "ended-day" }, &[("day", Arg::Day(ends))])
                    }),
                );
            }
            Body::Contribution(body) => {
                let place = body.location.as_ref().and_then(|place| place.name.as_ref());
                details.extend(place.map(|name| Html::name(&super::words::shorten(name.as_str(), 80))));
                details.push(texts.day_tag(held.dated()));
                details.extend(body.tallies.iter().map(|tally| Html::text(&count::short(texts, tally))));
                details.extend(body.comment_count.map(|n| Html::text(&texts.count("short-comments", n))));
            }
            Body::Meeting(body) => {
                details.extend(body.starts.map(|starts| texts.moment_tag(starts)));
                let place = body.location.as_ref().and_then(|place| place.name.as_ref());
                details.extend(place.map(|name| Html::name(&super::words::shorten(name.as_str(), 80))));
                details.extend(body.kind.map(|kind| Html::text(&texts.say(&format!("meeting-kind-{}", kind.word())))));
            }
            Body::BudgetProject(body) => {
                let cost = body.final_cost.or(body.awarded_cost).or(body.estimated_cost);
                details.extend(cost.map(|cost| Html::text(&texts.money(&cost))));
                details.extend(body.tallies.iter().map(|tally| Html::text(&count::short(texts, tally))));
            }
            Body::Poll(body) => {
                details.push(Html::text(&texts.count("poll-options", body.options.len() as u64)));
                details.push(texts.html("counted-day", &[("day", Arg::Day(body.counted_at))]));
            }
            Body::Decision(body) => {
                details.extend(body.decided_on.map(|day| texts.date_tag(day)));
                details.extend(self.organ(record, body));
            }
            Body::Commitment(body) => {
                let role = body.responsible.as_ref();
                details.extend(role.map(|role| said(record, role, 120)));
                details.extend(body.due.map(|due| texts.html("due-day", &[("day", Arg::Html(&texts.date_tag(due)))])));
                details.extend(body.completion.map(|done| Html::text(&texts.percent(done))));
            }
            Body::Result(body) => {
                details.extend(body.completion.map(|done| Html::text(&texts.percent(done))));
                details.extend(body.due.map(|due| texts.html("due-day", &[("day", Arg::Html(&texts.date_tag(due)))])));
            }
            Body::ProgressUpdate(body) => {
                details.push(texts.day_tag(held.dated()));
                details.extend(body.completion.map(|done| Html::text(&texts.percent(done))));
            }
            Body::Document(body) => {
                details.extend(body.kind.map(|kind| Html::text(&texts.say(&format!("document-kind-{}", kind.word())))));
                details.extend(body.media_type.as_ref().map(|kind| Html::text(kind.as_str())));
                details.extend(body.byte_size.map(|size| Html::text(&texts.size(size))));
            }
            Body::Comment(_) | Body::Disposition(_) | Body::OfficialResponse(_) => details.push(texts.day_tag(held.dated())),
        }
        details
    }
}
