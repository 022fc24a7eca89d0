//! `Place` of ActivityStreams: a point, an address, an area (participation.md §4.3.19). A citizen's
//! point has four decimals, about 10 m.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::WireError;
use super::scalar::{Iri, Plain, constant};
use crate::domain::place::{Place as DomainPlace, Point};
use crate::domain::text::PlainText;

constant!(
    /// The `type` of a place.
    PlaceType = "Place"
);

/// Where something is: at least an id, a name or a point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend(
    "anyOf" = [{ "required": ["id"] }, { "required": ["name"] }, { "required": ["latitude"] }],
    "dependentRequired" = { "latitude": ["longitude"], "longitude": ["latitude"] }
))]
pub struct Place {
    /// The place's own address in a register (INSEE, Wikidata).
    #[schemars(with = "Option<Iri>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Always `Place`.
    #[serde(rename = "type")]
    pub node_type: PlaceType,
    /// The name or postal address.
    #[schemars(with = "Option<Plain>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Degrees north, WGS 84.
    #[schemars(range(min = -90.0, max = 90.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latitude: Option<f64>,
    /// Degrees east, WGS 84.
    #[schemars(range(min = -180.0, max = 180.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longitude: Option<f64>,
}

impl Place {
    /// The node of a place.
    #[must_use]
    pub fn of(place: &DomainPlace) -> Self {
        Self {
            id: place.id.clone(),
            node_type: PlaceType::Value,
            name: place.name.as_ref().map(ToString::to_string),
            latitude: place.point.map(|point| point.latitude),
            longitude: place.point.map(|point| point.longitude),
        }
    }

    /// The place that this node describes.
    ///
    /// # Errors
    /// When its point is not on Earth or it says nothing.
    pub fn read(&self, path: &str) -> Result<DomainPlace, WireError> {
        let point = match (self.latitude, self.longitude) {
            (None, None) => None,
            (Some(latitude), Some(longitude)) => {
                Some(Point::new(latitude, longitude).ok_or_else(|| WireError::new(path, "a point that is not on Earth"))?)
            }
            _ => return Err(WireError::new(path, "half a point: latitude and longitude belong together")),
        };
        let name = self.name.as_deref().and_then(PlainText::new);
        if name.is_none() && point.is_none() && self.id.is_none() {
            return Err(WireError::new(path, "a place without id, name or point"));
        }
        Ok(DomainPlace { id: self.id.clone(), name, point })
    }
}
