//! Runs as such: one at a time, what they remember, and the switch that keeps everything back.

use std::time::Duration;

use passerelle::domain::{Clock, Timestamp};
use passerelle::store::{RunOutcome, Store};
use passerelle::sync::{EntitySummary, Options, SyncError};

use super::{Lyon, PROPOSAL, answered, page, proposal};
use crate::store_tests;

store_tests! {
    async fn a_run_is_written_down_with_its_counts(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.show_proposals([1, 2]);
        let summary = lyon.run().await;
        let runs = lyon.store.read().await?.last_runs(&"lyon".parse()?, 10).await?;
        assert_eq!((runs.len(), runs[0].number, runs[0].outcome), (1, summary.run, RunOutcome::Complete));
        let counts: EntitySummary = serde_json::from_value(runs[0].counts[PROPOSAL].clone())?;
        assert_eq!((counts.read, counts.published, counts.complete), (2, 2, true));
    }

    async fn rel_001_what_a_run_left_unfinished_the_next_one_completes_and_nothing_is_doubled(store: Store) {
        let mut lyon = Lyon::new(store);
        // Broken off by the platform, in the middle of the list.
        lyon.show_proposals(1..=330);
        lyon.platform.now(|script| script.breaks = true);
        assert_eq!(lyon.run().await.outcome, RunOutcome::Failed);
        // Cut off by us, wherever it stands. (SIGKILL of the real process is a test of its own.)
        lyon.show_proposals(1..=700);
        lyon.platform.now(|script| script.breaks = false);
        for milliseconds in [5, 20, 45, 80] {
            let cut = tokio::time::timeout(Duration::from_millis(milliseconds), lyon.try_run(Options::default())).await;
            if let Ok(ended) = cut {
                ended?;
            }
        }
        assert_eq!(lyon.run().await.outcome, RunOutcome::Complete);
        let changes = lyon.changes().await;
        let records: std::collections::HashSet<_> = changes.iter().map(|change| change.record.clone()).collect();
        assert_eq!((changes.len(), records.len()), (701, 701), "each once");
        assert_eq!(lyon.run().await.entities[PROPOSAL].unchanged, 700);
        assert_eq!(lyon.changes().await, []);
    }

    async fn two_pollers_never_read_one_platform_at_once(store: Store) {
        let mut lyon = Lyon::new(store);
        let now: Timestamp = lyon.clock.now().plus(Duration::from_mins(15));
        let mut tx = lyon.store.write().await?;
        let held = tx.start_run(&"lyon".parse()?, "another process", now, now.plus(Duration::from_secs(30))).await?;
        tx.save().await?;
        assert!(held.is_some());
        let refused = lyon.try_run(Options::default()).await.expect_err("the platform is held");
        assert!(matches!(&refused, SyncError::Busy { .. }), "{refused:?}");
        assert!(refused.to_string().contains("another process"));
        // It was killed: 30 s later the platform is free again.
        lyon.clock.advance(Duration::from_secs(30));
        assert_eq!(lyon.run().await.outcome, RunOutcome::Complete);
        let runs = lyon.store.read().await?.last_runs(&"lyon".parse()?, 10).await?;
        assert_eq!(runs[1].outcome, RunOutcome::Failed);
    }

    async fn nothing_is_written_before_a_person_has_said_yes(store: Store) {
        let lyon = Lyon::new(store);
        lyon.show_proposals([1, 2]);
        let preview = lyon.sync.preview(&mut |_| {}).await?;
        assert_eq!(preview.entities[PROPOSAL].published, 2, "two would be published");
        assert_eq!(lyon.changes().await, []);
        assert!(lyon.store.read().await?.last_runs(&"lyon".parse()?, 10).await?.is_empty());
        assert_eq!(lyon.item(PROPOSAL, "1").await, None);
    }

    async fn a_preview_shows_what_would_be_published_and_what_is_not_understood(store: Store) {
        let lyon = Lyon::new(store);
        lyon.platform.now(|script| {
            let mut odd = proposal("2");
            odd.fields["referenceScore"] = serde_json::json!(0.42);
            odd.fields["state"] = serde_json::json!("en_chantier");
            script.items.extend([answered("1", "accepted", "Oui."), odd]);
        });
        let preview = lyon.sync.preview(&mut |_| {}).await?;
        assert!(preview.needs_a_person());
        // Without a probe there is no schema: only fields that were met count here.
        insta::with_settings!({ snapshot_path => "snapshots" }, {
            insta::assert_snapshot!("preview-summary", preview.summary_text("https://participer.lyon.example, anonymous, 1 request/s"));
            insta::assert_snapshot!("preview-fields", preview.fields_text());
        });
        let sample = preview.samples_text();
        assert!(sample.contains("proposal 1") && sample.contains(&page("1")) && sample.contains("title.fr = Proposition 1"), "{sample}");
        assert!(sample.contains("author.id = (personal, not shown)"), "{sample}");
        assert_eq!(lyon.changes().await, []);
    }
}
