//! One measured figure: how many, how long, who paid for it, and what was wanted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

/// What a figure is held against (issue: acceptance, architecture §7).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    /// The value measured, in `unit`.
    pub value: f64,
    /// What was wanted.
    pub wanted: f64,
    /// What both are counted in.
    pub unit: &'static str,
    /// Whether it was reached.
    pub reached: bool,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// Which axis.
    pub axis: &'static str,
    /// What exactly.
    pub name: String,
    /// How many things were done.
    pub items: u64,
    /// Wall time, in seconds.
    pub seconds: f64,
    /// Things a second.
    pub per_second: f64,
    /// CPU per thing by process, in milliseconds.
    pub cpu_ms: BTreeMap<String, f64>,
    /// How long one answer took, in milliseconds: half of them at most this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<f64>,
    /// The same for 99 of 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<f64>,
    /// Other numbers: bytes, counts, ratios.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<&'static str, f64>,
    /// What was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
}

impl Figure {
    /// `items` things in `took`.
    #[must_use]
    pub fn new(axis: &'static str, name: impl Into<String>, items: u64, took: Duration) -> Self {
        let seconds = took.as_secs_f64();
        Self {
            axis,
            name: name.into(),
            items,
            seconds,
            per_second: if seconds > 0.0 { count(items) / seconds } else { 0.0 },
            cpu_ms: BTreeMap::new(),
            p50_ms: None,
            p99_ms: None,
            numbers: BTreeMap::new(),
            target: None,
        }
    }

    /// What `who` spent in all.
    #[must_use]
    pub fn cpu(mut self, who: impl Into<String>, spent: Duration) -> Self {
        let each = spent.as_secs_f64() * 1000.0 / count(self.items.max(1));
        self.cpu_ms.insert(who.into(), each);
        self
    }

    /// How long answers took.
    #[must_use]
    pub fn latency(mut self, p50: Duration, p99: Duration) -> Self {
        self.p50_ms = Some(p50.as_secs_f64() * 1000.0);
        self.p99_ms = Some(p99.as_secs_f64() * 1000.0);
        self
    }

    /// This and more of the same, measured apart: times and costs add up. How long single answers took is not
    /// known of both together.
    #[must_use]
    pub fn and(self, more: &Self) -> Self {
        let spent = |figure: &Self, who: &str| figure.cpu_ms.get(who).copied().unwrap_or(0.0) * count(figure.items);
        let items = self.items + more.items;
        let seconds = self.seconds + more.seconds;
        let each = |who: &String| (spent(&self, who) + spent(more, who)) / count(items.max(1));
        let cpu_ms = self.cpu_ms.keys().map(|who| (who.clone(), each(who))).collect();
        let per_second = if seconds > 0.0 { count(items) / seconds } else { 0.0 };
        Self { items, seconds, per_second, cpu_ms, p50_ms: None, p99_ms: None, ..self }
    }

    /// Another number.
    #[must_use]
    pub fn number(mut self, name: &'static str, value: f64) -> Self {
        self.numbers.insert(name, value);
        self
    }

    /// At most this.
    #[must_use]
    pub fn at_most(mut self, value: f64, wanted: f64, unit: &'static str) -> Self {
        self.target = Some(Target { value, wanted, unit, reached: value <= wanted });
        self
    }

    /// At least this.
    #[must_use]
    pub fn at_least(mut self, value: f64, wanted: f64, unit: &'static str) -> Self {
        self.target = Some(Target { value, wanted, unit, reached: value >= wanted });
        self
    }

    /// At most so many milliseconds of CPU by `who` for each.
    #[must_use]
    pub fn cpu_at_most(self, who: &str, wanted: f64) -> Self {
        let value = self.cpu_ms.get(who).copied().unwrap_or(f64::NAN);
        self.at_most(value, wanted, "ms CPU")
    }

    /// At least so many a second.
    #[must_use]
    pub fn rate_at_least(self, wanted: f64) -> Self {
        let value = self.per_second;
        self.at_least(value, wanted, "a second")
    }

    /// One line for people.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = format!(
            "{:<9} {:<47} {:>8} in {:>8.3} s {:>10.1}/s",
            self.axis, self.name, self.items, self.seconds, self.per_second
        );
        if !self.cpu_ms.is_empty() {
            let parts: Vec<String> = self.cpu_ms.iter().map(|(who, ms)| format!("{who} {}", short(*ms))).collect();
            let _ = write!(line, "  CPU ms {}", parts.join(", "));
        }
        if let (Some(p50), Some(p99)) = (self.p50_ms, self.p99_ms) {
            let _ = write!(line, "  p50 {} p99 {} ms", short(p50), short(p99));
        }
        for (name, value) in &self.numbers {
            let _ = write!(line, "  {name} {}", short(*value));
        }
        if let Some(Target { value, wanted, unit, reached }) = &self.target {
            let word = if *reached { "ok" } else { "MISSED" };
            let _ = write!(line, "  [{} {unit}, wanted {}: {word}]", short(*value), short(*wanted));
        }
        line
    }
}

/// A count as a number to divide by.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub const fn count(items: u64) -> f64 {
    items as f64
}

/// Bytes in MiB.
#[must_use]
pub fn mib(bytes: u64) -> f64 {
    count(bytes) / f64::from(1 << 20)
}

/// Three digits that matter.
fn short(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.4}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_divides_by_what_was_done_and_says_what_was_missed() {
        let figure = Figure::new("inbox", "warm", 1000, Duration::from_secs(2)).cpu("gateway", Duration::from_millis(300));
        assert!((figure.per_second - 500.0).abs() < 1e-9, "{figure:?}");
        let reached = figure.clone().cpu_at_most("gateway", 0.3);
        assert!(reached.target.as_ref().is_some_and(|target| target.reached), "{reached:?}");
        assert!(reached.line().ends_with("[0.3000 ms CPU, wanted 0.3000: ok]"), "{}", reached.line());
        let missed = figure.rate_at_least(501.0);
        assert!(missed.line().contains("MISSED"), "{}", missed.line());
        // What was not measured does not pass for reached.
        let unknown = Figure::new("inbox", "cold", 0, Duration::ZERO).cpu_at_most("gateway", 1.0);
        assert!(unknown.target.is_some_and(|target| !target.reached));
    }

    #[test]
    fn what_was_measured_apart_adds_up() {
        let once = |items, seconds, cpu| Figure::new("growth", "read", items, Duration::from_secs(seconds)).cpu("gateway", cpu);
        let few = once(100, 1, Duration::from_millis(100)).latency(Duration::from_millis(1), Duration::from_millis(2));
        let both = few.and(&once(300, 3, Duration::from_millis(500)));
        assert_eq!((both.items, both.p50_ms, both.p99_ms), (400, None, None));
        assert!((both.seconds - 4.0).abs() < 1e-9 && (both.per_second - 100.0).abs() < 1e-9, "{both:?}");
        assert!((both.cpu_ms["gateway"] - 1.5).abs() < 1e-9, "{both:?}");
    }
}
