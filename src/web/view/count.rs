//! Counts: a number, what was counted, by whom and when; withheld is not zero, and two cities'
//! counts are never added up (UI-35, UI-36).

use crate::domain::tally::{Measure, SupportTally};
use crate::web::html::Html;
use crate::web::i18n::{Arg, Texts};

/// One count as a sentence.
#[must_use]
pub fn sentence(texts: &Texts, tally: &SupportTally, city: &str) -> Html {
    let what = match tally.measure {
        Measure::Support => "count-support",
        Measure::Vote => "count-vote",
        Measure::Points => "count-points",
        Measure::Signature => "count-signature",
        Measure::Rating => "count-rating",
    };
    let (city, when) = (Arg::Name(city), Arg::Day(tally.counted_at));
    tally.total.map_or_else(
        || texts.html("count-hidden", &[("city", city)]),
        |n| texts.html(what, &[("n", Arg::Number(n)), ("city", city), ("when", when)]),
    )
}

/// One count in two words, for a card; the page behind it says who counted and when.
#[must_use]
pub fn short(texts: &Texts, tally: &SupportTally) -> String {
    let what = match tally.measure {
        Measure::Support => "short-support",
        Measure::Vote => "short-vote",
        Measure::Points => "short-points",
        Measure::Signature => "short-signature",
        Measure::Rating => "short-rating",
    };
    tally.total.map_or_else(|| texts.say("short-hidden"), |n| texts.count(what, n))
}
