//! Runs over the second half of the vocabulary: a tree of results, files that move, meetings that are hidden.

use std::sync::Arc;

use passerelle::domain::source::SourceRecord;
use passerelle::domain::{Body, Class, Record};
use passerelle::mapping::Profile;
use passerelle::store::{Standing, Store};
use serde_json::json;

use super::{Lyon, complete};
use crate::mapping::works::{WORKS, item};
use crate::store_tests;

/// Lyon in front of a platform with meetings, works and files.
fn lyon(store: Store) -> Lyon {
    let mut lyon = Lyon::new(store);
    lyon.sync.profile = Arc::new(Profile::parse(WORKS).expect("it is good"));
    lyon
}

fn city() -> Vec<SourceRecord> {
    vec![
        item("project", "1", json!({ "title": "Rues aux écoles" })),
        item("meeting", "2", json!({ "project": "1", "title": "Une soirée", "from": "2026-11-27T18:00:00+01:00" })),
        item("work", "3", json!({ "project": "1", "title": "Les rues", "status": "started", "progress": 20 })),
        item(
            "work",
            "4",
            json!({ "project": "1", "parent": "3", "title": "La rue Briand", "status": "started", "progress": 80 }),
        ),
        item("news", "5", json!({ "project": "1", "work": "4", "text": "<p>Posée.</p>" })),
        file("https://works.lyon.example/files/a"),
    ]
}

fn file(url: &str) -> SourceRecord {
    item(
        "file",
        "6",
        json!({ "project": "1", "meeting": "2", "title": "L'ordre du jour", "url": url, "type": "application/pdf" }),
    )
}

store_tests! {
    async fn a_file_that_moves_is_no_revision(store: Store) {
        let mut lyon = lyon(store);
        lyon.platform.now(|script| script.items = city());
        complete(&lyon.run().await);
        let before = lyon.record("file", "6", Class::Document).await.expect("it is there");
        assert_eq!(lyon.changes().await.len(), 6);
        lyon.platform.now(|script| script.items[5] = file("https://works.lyon.example/files/b"));
        complete(&lyon.run().await);
        let after = lyon.record("file", "6", Class::Document).await.expect("it is there");
        assert_eq!((after.revision, &after.sealed), (1, &before.sealed), "what is signed stays");
        assert_eq!(lyon.changes().await, [], "nobody is told");
        let place = |record: Option<Record>| match record.map(|record| record.body) {
            Some(Body::Document(document)) => document.file.map(String::from),
            _ => None,
        };
        assert_eq!(place(after.record).as_deref(), Some("https://works.lyon.example/files/b"));
        // Named twice in one reading: the last place stands.
        lyon.platform.now(|script| {
            script.items[5] = file("https://works.lyon.example/files/d");
            script.items.push(file("https://works.lyon.example/files/c"));
        });
        complete(&lyon.run().await);
        let after = lyon.record("file", "6", Class::Document).await.expect("it is there");
        assert_eq!((after.revision, place(after.record).as_deref()), (1, Some("https://works.lyon.example/files/c")));
        assert_eq!(lyon.changes().await, [], "nobody is told");
    }

    async fn results_form_a_tree_with_news_in_it(store: Store) {
        let mut lyon = lyon(store);
        lyon.platform.now(|script| script.items = city());
        complete(&lyon.run().await);
        let whole = lyon.record("work", "3", Class::Result).await.expect("it is there");
        let part = lyon.record("work", "4", Class::Result).await.expect("it is there");
        let news = lyon.record("news", "5", Class::ProgressUpdate).await.expect("it is there");
        assert_eq!((part.parent, news.parent), (Some(whole.id.clone()), Some(part.id.clone())));
        assert!(news.id.path().starts_with("/results/"));
        // More progress is a revision that a reader sees.
        lyon.platform.now(|script| script.items[3] = item("work", "4", json!({ "project": "1", "parent": "3", "title": "La rue Briand", "status": "started", "progress": 100 })));
        complete(&lyon.run().await);
        let part = lyon.record("work", "4", Class::Result).await.expect("it is there");
        assert_eq!((part.revision, part.version), (2, 2));
    }

    async fn with_a_meeting_everything_that_hangs_on_it_is_hidden(store: Store) {
        let mut lyon = lyon(store);
        lyon.platform.now(|script| script.items = city());
        complete(&lyon.run().await);
        lyon.platform.now(|script| {
            script.items.remove(5);
            script.items.remove(1);
            script.withheld = vec![("meeting", "2".to_owned())];
        });
        complete(&lyon.run().await);
        for (entity, id, class, standing) in [
            ("meeting", "2", Class::Meeting, Standing::Hidden),
            ("file", "6", Class::Document, Standing::Hidden),
            ("work", "3", Class::Result, Standing::Live),
        ] {
            let record = lyon.record(entity, id, class).await.expect("it is there");
            assert_eq!(record.standing, standing, "{entity}");
            let text = String::from_utf8_lossy(&record.sealed).into_owned();
            assert!(!text.contains("soirée") && !text.contains("files/a"), "{text}");
        }
    }
}
