//! Domain values as a page shows them to one reader: words in a language, counts with who counted
//! and when, states as a word and a tint. No I/O.

pub mod answer;
pub mod card;
pub mod count;
pub mod desk;
pub mod diff;
pub mod dossier;
pub mod facts;
pub mod held;
pub mod state;
pub mod thread;
pub mod words;
