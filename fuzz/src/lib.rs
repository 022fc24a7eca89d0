//! What must hold whatever a stranger sends: the properties that the fuzz targets and the ordinary test
//! `tests/it/fuzz.rs` ask, over the public API of `passerelle` only.

pub mod addresses;
pub mod headers;
pub mod inbox;
pub mod json;
pub mod networks;
pub mod request;
