//! The properties that the fuzz targets ask (`fuzz/README.md`), asked of their seeds and of the published
//! examples: whatever they found once is among the seeds and stays found.

use std::path::Path;
use std::{fs, panic};

#[path = "../../fuzz/src/addresses.rs"]
mod addresses;
#[path = "../../fuzz/src/headers.rs"]
mod headers;
#[path = "../../fuzz/src/inbox.rs"]
mod inbox;
#[path = "../../fuzz/src/json.rs"]
mod json;
#[path = "../../fuzz/src/networks.rs"]
mod networks;
#[path = "../../fuzz/src/request.rs"]
mod request;

/// Feeds every file of a folder; names all for which something does not hold. How many went all the way, of
/// how many.
fn feed(folder: &str, check: impl Fn(&[u8]) -> bool + panic::RefUnwindSafe) -> (usize, usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let (mut far, mut all, mut wrong) = (0, 0, Vec::new());
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        let data = fs::read(&path).expect("it can be read");
        all += 1;
        match panic::catch_unwind(|| check(&data)) {
            Ok(all_the_way) => far += usize::from(all_the_way),
            Err(_) => wrong.push(path),
        }
    }
    assert!(wrong.is_empty(), "what does not hold is said above: {wrong:#?}");
    (far, all)
}

// The numbers are those of the seeds that are meant to go all the way: with fewer, the seeds have aged.

#[test]
fn f_1_headers() {
    assert_eq!(feed("fuzz/seeds/headers", headers::check).0, 9);
}

#[test]
fn f_3_inbox() {
    assert_eq!(feed("fuzz/seeds/inbox", inbox::check).0, 4);
    let (far, all) = feed("federation-specs/examples", inbox::check);
    assert!(far == all && all > 20, "{far} of {all}");
}

#[test]
fn f_9_addresses() {
    assert_eq!(feed("fuzz/seeds/addresses", addresses::check).0, 25);
}
