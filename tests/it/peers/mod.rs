//! Other implementations of ActivityPub. [`fedify`] meets a real one, on demand; what went over the wire then
//! is kept, and [`transcripts`] replays it in every run.

mod fedify;
mod transcripts;
