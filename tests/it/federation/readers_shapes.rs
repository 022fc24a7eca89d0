//! What a server of the Fediverse makes of what we send it is what `FEDERATION.md` says.

use std::collections::BTreeMap;

use passerelle::domain::meeting::Meeting;
use passerelle::domain::{Body, Record};
use passerelle::federation::wire;
use serde_json::{Value, json};

use super::examples::{SIGNED, example};
use crate::support::shapes::{READERS, erased};

/// The table of `FEDERATION.md`: by AS2 type and class, what each software is said to show.
fn promised() -> BTreeMap<(String, String), Vec<String>> {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/federation-specs/FEDERATION.md")).expect("it is there");
    let table = text.split("## Objects").nth(1).expect("a part").split("\n## ").next().expect("a part");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")).map(|row| row.trim_end_matches(" |"));
    let cells = rows.map(|row| row.split(" | ").map(|cell| cell.trim_matches('`').to_owned()).collect::<Vec<_>>());
    cells.map(|mut cells| ((cells[0].clone(), cells[1].clone()), cells.split_off(2))).collect()
}

/// A record of the examples, as it would be if it were changed.
fn changed(class: &str, change: impl FnOnce(&mut Record)) -> Value {
    let (mut record, _) = wire::record_from_json(&example(class)).expect("a record");
    change(&mut record);
    wire::record_to_json(&record, None)
}

/// Every record that is sent, of every class, and of those that are of two types both.
fn records() -> Vec<Value> {
    let examples = SIGNED.iter().map(|name| example(name));
    let untitled = ["Contribution", "Commitment", "ProgressUpdate"].map(|class| changed(class, |record| record.title = None));
    examples
        .filter(|document| wire::class_of(document).is_ok_and(|_| document["type"] != "Organization"))
        .chain(untitled)
        .collect()
}

#[test]
fn each_software_reads_of_each_class_what_is_promised() {
    let promised = promised();
    let mut read = BTreeMap::new();
    for document in records() {
        let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
        let seen = READERS.map(|(reader, read)| read(&document).unwrap_or_else(|why| format!("{reader} refuses it: {why}")));
        read.insert((text("type"), text("recordType")), seen.to_vec());
    }
    read.insert(("Tombstone".to_owned(), "–".to_owned()), vec!["erased".to_owned(); READERS.len()]);
    assert_eq!(read, promised);
}

#[test]
fn a_title_alone_is_shown() {
    for (class, mastodon) in [("Poll", "title, options"), ("Commitment", "title, link"), ("ProgressUpdate", "title, link")] {
        let document = changed(class, |record| record.content = None);
        let seen = READERS.map(|(_, read)| read(&document));
        assert_eq!(seen[0].as_deref(), Ok(mastodon), "{class}");
        assert!(seen.iter().all(Result::is_ok), "{class}: {seen:?}");
    }
    // A poll's title is no text of its own once it is read, whatever its languages.
    for language in ["fr", "en", "de"] {
        let poll = changed("Poll", |record| {
            record.content = None;
            record.language = language.parse().expect("a language");
        });
        let (back, _) = wire::record_from_json(&poll).expect("a record");
        assert_eq!(back.content, None);
        assert_eq!(wire::record_to_json(&back, None), poll);
    }
    // What somebody else wrote without a map is a text, unless it is the title alone.
    let mut foreign = changed("Poll", |_| ());
    foreign.as_object_mut().expect("an object").remove("contentMap");
    let (back, _) = wire::record_from_json(&foreign).expect("a record");
    assert!(back.content.is_some());
}

#[test]
fn a_meeting_has_one_place_and_its_website_beside_it() {
    let (_, mobilizon) = READERS[2];
    let meeting = |change: fn(&mut Meeting)| {
        changed("Meeting", |record| {
            let Body::Meeting(meeting) = &mut record.body else { panic!("a meeting") };
            change(meeting);
        })
    };
    let read = |document: &Value| {
        let (record, _) = wire::record_from_json(document).expect("a record");
        let Body::Meeting(meeting) = record.body else { panic!("a meeting") };
        (meeting.location.is_some(), meeting.online.map(String::from))
    };
    let room = "https://salle.montfleur.example/berges";
    let both = meeting(|_| ());
    let online = meeting(|meeting| meeting.location = None);
    let in_town = meeting(|meeting| meeting.online = None);
    let nowhere = meeting(|meeting| (meeting.location, meeting.online) = (None, None));
    for (document, seen, has) in [
        (&both, "event, place, website", (true, Some(room.to_owned()))),
        (&online, "event, website", (false, Some(room.to_owned()))),
        (&in_town, "event, place", (true, None)),
        (&nowhere, "event", (false, None)),
    ] {
        assert_eq!(mobilizon(document).as_deref(), Ok(seen));
        assert_eq!(read(document), has, "{seen}");
    }
    assert_eq!(online["location"], json!({"type": "Link", "href": room}));

    // As it was written before; what is attached beside it is somebody else's.
    let mut list = both.clone();
    list["location"] = json!([both["location"], {"type": "Link", "href": room}]);
    assert!(mobilizon(&list).is_err(), "why it is no list any more");
    list["attachment"] = json!({"type": "Document", "url": "https://b.example/affiche.png"});
    assert_eq!(read(&list), (true, Some(room.to_owned())));
    for (attachment, wrong) in [
        (json!([{"type": "Link", "href": "https://b.example/", "mediaType": "text/html", "name": "Website"}]), "attachment.href"),
        (json!([{"type": "Link", "href": "javascript:x", "mediaType": "text/html", "name": "Website"}]), "attachment.href"),
    ] {
        list["attachment"] = attachment;
        assert_eq!(wire::record_from_json(&list).expect_err("another place").path, wrong);
    }
}

#[test]
fn what_a_partner_is_told_to_delete_is_no_delete_for_every_reader() {
    // The sealed tombstone names a type that Misskey does not know: why a reader's is another.
    assert!(erased(&example("Delete")).is_err());
    let id = example("Contribution")["id"].clone();
    let mut delete = example("Delete");
    delete["object"] = json!({"id": id, "type": "Tombstone"});
    assert_eq!(erased(&delete).as_deref(), Ok(id.as_str().expect("an address")));
}
