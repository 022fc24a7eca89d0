//! A point, an area, an address.

use serde::{Deserialize, Serialize};

use super::text::PlainText;

/// Where something is (participation.md §4.3.19). At least a name or a point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The place's own address in a register (INSEE, Wikidata), when there is one.
    pub id: Option<String>,
    /// The name or postal address.
    pub name: Option<PlainText>,
    /// Where on the map.
    pub point: Option<Point>,
}

/// WGS 84 degrees, rounded to 4 decimals (about 10 m): a citizen's point is not a doorbell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// North, −90 to 90.
    pub latitude: f64,
    /// East, −180 to 180.
    pub longitude: f64,
}

impl Point {
    /// A point on Earth, rounded; `None` outside the ranges or at (0, 0), which platforms write for "none".
    #[must_use]
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let round = |degrees: f64| (degrees * 10_000.0).round() / 10_000.0;
        let on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        let stated = latitude != 0.0 || longitude != 0.0;
        (on_earth && stated).then(|| Self { latitude: round(latitude), longitude: round(longitude) })
    }
}
