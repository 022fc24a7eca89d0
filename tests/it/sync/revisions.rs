//! What makes a revision, and what does not.

use passerelle::domain::Class;
use passerelle::domain::change::ChangeKind;
use passerelle::domain::contribution::AuthorState;
use passerelle::domain::record::Body;
use passerelle::store::{Standing, Store};
use serde_json::json;

use super::{COMMENT, Lyon, PROPOSAL, answered, comment, complete, now, process, proposal, reply, retitled};
use crate::store_tests;

store_tests! {
    async fn an_unchanged_platform_makes_no_change(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.platform.now(|script| {
            script.items.extend([proposal("1"), answered("2", "accepted", "Oui."), comment("7", "1"), reply("8", "7", "1")]);
        });
        let first = lyon.run().await;
        complete(&first);
        assert_eq!(lyon.changes().await.len(), 7, "a consultation, two contributions, a treatment, an answer, two comments");
        let before = lyon.contribution("1").await;
        // Times of reading, and the platform's noise in `updatedAt`, are no change.
        lyon.platform.now(|script| {
            for item in &mut script.items {
                item.retrieved_at = "2026-11-24T12:00:00Z".parse().expect("an instant");
                item.fields["updatedAt"] = json!("2026-11-24T12:00:00+01:00");
            }
        });
        let second = lyon.run().await;
        complete(&second);
        assert_eq!(lyon.changes().await, []);
        assert_eq!(lyon.contribution("1").await, before);
        assert_eq!(second.entities[PROPOSAL].unchanged, 2);
        assert_eq!((second.entities[PROPOSAL].published, second.entities[COMMENT].revised), (0, 0));
    }

    async fn sec_059_a_comment_never_becomes_one_of_another_class(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.platform.now(|script| {
            script.items.extend([proposal("1"), comment("7", "1"), comment("8", "1")]);
            script.items.last_mut().expect("a comment").fields["alignment"] = json!(0);
        });
        complete(&lyon.run().await);
        // One ceases to argue, one begins to, and both say something new.
        lyon.platform.now(|script| {
            for item in script.items.iter_mut().filter(|item| item.entity == COMMENT) {
                item.fields["alignment"] = json!(1 - item.fields["alignment"].as_i64().expect("a side"));
                item.fields["formattedBody"] = json!("<p>Autrement dit.</p>");
            }
        });
        complete(&lyon.run().await);
        for (id, class) in [("7", Class::Argument), ("8", Class::Comment)] {
            let stored = lyon.record(COMMENT, id, Class::Comment).await.expect("it is published");
            assert_eq!((stored.class, stored.revision, stored.standing), (class, 2, Standing::Live), "{id}");
        }
    }

    async fn sec_059_a_record_was_first_published_once(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.show_proposals([1, 2]);
        complete(&lyon.run().await);
        let published = lyon.contribution("1").await.record.expect("it is published").published;
        assert!(published.is_some());
        // Unpublished for a while, Decidim dates it anew; another answer lacks the date.
        for (date, title) in [(json!("2026-11-24T10:00:00+01:00"), "De retour"), (json!(null), "Sans date")] {
            lyon.platform.now(|script| {
                script.items[1] = retitled("1", title);
                script.items[1].fields["publishedAt"] = date;
            });
            complete(&lyon.run().await);
            assert_eq!(lyon.contribution("1").await.record.expect("it is there").published, published, "{title}");
        }
        assert_eq!(lyon.contribution("1").await.revision, 3, "what it says is revised all the same");
    }

    async fn one_edit_is_one_revision(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.show_proposals([1, 2]);
        lyon.run().await;
        lyon.changes().await;
        let before = lyon.contribution("1").await;
        lyon.platform.now(|script| script.items[1] = retitled("1", "Un autre titre"));
        let summary = lyon.run().await;
        let changes = lyon.changes().await;
        assert_eq!(changes.len(), 1);
        assert_eq!((changes[0].record.clone(), changes[0].revision, changes[0].kind), (before.id.clone(), 2, ChangeKind::Updated));
        let after = lyon.contribution("1").await;
        assert_eq!((after.revision, after.version), (2, 2));
        let record = after.record.expect("it is there");
        assert_eq!(record.updated.map(|t| t.to_string()).as_deref(), Some("2026-11-24T09:05:00Z"), "when the source says");
        assert_eq!(record.salt, before.record.and_then(|record| record.salt));
        assert_eq!((summary.entities[PROPOSAL].revised, summary.entities[PROPOSAL].unchanged), (1, 1));
    }

    async fn counts_alone_are_a_revision_that_leaves_the_version_people_read(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.show_proposals([1]);
        lyon.run().await;
        lyon.platform.now(|script| script.items[1].fields["voteCount"] = json!(4));
        lyon.run().await;
        let after = lyon.contribution("1").await;
        assert_eq!((after.revision, after.version), (2, 1));
        assert_eq!(after.record.expect("it is there").updated, None);
    }

    async fn an_answer_is_bound_to_the_revision_it_was_made_on(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.platform.now(|script| script.items.extend([proposal("1"), answered("2", "accepted", "Oui.")]));
        lyon.run().await;
        let digest = |record: Option<passerelle::store::StoredRecord>| match record.and_then(|r| r.record).map(|r| r.body) {
            Some(Body::Disposition(body)) => body.subject_digest,
            Some(Body::OfficialResponse(body)) => body.subject_digest,
            other => panic!("{other:?}"),
        };
        for class in [Class::Disposition, Class::OfficialResponse] {
            assert_eq!(digest(lyon.record(PROPOSAL, "2", class).await), None, "first seen together: what it judged is not known");
        }
        let judged = lyon.contribution("1").await.digest;
        lyon.platform.now(|script| script.items[1] = answered("1", "rejected", "Non."));
        lyon.run().await;
        for class in [Class::Disposition, Class::OfficialResponse] {
            assert_eq!(digest(lyon.record(PROPOSAL, "1", class).await), Some(judged.clone()));
        }
        // A later edit of the contribution does not move what was judged.
        lyon.platform.now(|script| script.items[1].fields["title"]["translations"][0]["text"] = json!("Modifiée après la réponse"));
        lyon.run().await;
        assert_ne!(lyon.contribution("1").await.digest, judged);
        assert_eq!(digest(lyon.record(PROPOSAL, "1", Class::Disposition).await), Some(judged));
        // An answer and an edit seen at once: which came first is not known.
        lyon.platform.now(|script| {
            script.items[1].fields["title"]["translations"][0]["text"] = json!("Encore modifiée");
            script.items[1].fields["state"] = json!("accepted");
        });
        lyon.run().await;
        assert_eq!(digest(lyon.record(PROPOSAL, "1", Class::Disposition).await), None);
    }

    async fn an_answer_that_was_taken_back_is_hidden_and_may_return(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.platform.now(|script| script.items.push(answered("1", "accepted", "Oui.")));
        lyon.run().await;
        lyon.platform.now(|script| script.items[1] = proposal("1"));
        lyon.run().await;
        for class in [Class::Disposition, Class::OfficialResponse] {
            let hidden = lyon.record(PROPOSAL, "1", class).await.expect("it is there");
            assert_eq!((hidden.standing, hidden.revision), (Standing::Hidden, 2));
        }
        assert_eq!(lyon.contribution("1").await.revision, 1);
        lyon.platform.now(|script| script.items[1] = answered("1", "accepted", "Oui."));
        lyon.run().await;
        let back = lyon.record(PROPOSAL, "1", Class::OfficialResponse).await.expect("it is there");
        assert_eq!((back.standing, back.revision), (Standing::Live, 3));
    }

    async fn withdrawn_by_its_author_keeps_the_title_and_loses_text_and_author(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.show_proposals([1]);
        lyon.run().await;
        let before = lyon.contribution("1").await.record.expect("it is there");
        lyon.changes().await;
        lyon.platform.now(|script| {
            script.items[1].fields["withdrawn"] = json!(true);
            script.items[1].fields["state"] = json!("not_answered");
        });
        lyon.run().await;
        let changes = lyon.changes().await;
        assert_eq!(changes.iter().map(|change| change.kind).collect::<Vec<_>>(), [ChangeKind::Updated], "an update, no deletion");
        let after = lyon.contribution("1").await;
        assert_eq!((after.standing, after.version), (Standing::Live, 2));
        let record = after.record.expect("it is there");
        let Body::Contribution(body) = &record.body else { panic!("not a contribution") };
        assert_eq!((body.author_state, &body.author, &record.content), (AuthorState::Withdrawn, &None, &None));
        assert_eq!(record.title, before.title);
        assert!(record.salt.is_some() && record.salt != before.salt, "the salt of words that left does not stay");
        complete(&lyon.run().await);
        assert_eq!(lyon.changes().await, [], "withdrawn once is withdrawn");
    }

    async fn parents_come_before_their_children_in_the_order_of_changes(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.platform.now(|script| {
            script.items = vec![process("1")];
            for id in 1..=150 {
                script.items.push(answered(&id.to_string(), "accepted", "Oui."));
            }
            for id in 1..=150 {
                script.items.push(comment(&id.to_string(), &id.to_string()));
                script.items.push(reply(&(id + 1000).to_string(), &id.to_string(), &id.to_string()));
            }
        });
        complete(&lyon.run().await);
        let changes = lyon.changes().await;
        assert_eq!(changes.len(), 1 + 150 * 5);
        let mut seen = std::collections::HashSet::new();
        let mut tx = lyon.store.read().await?;
        for change in changes {
            let stored = tx.lookup_record(&change.record).await?.expect("it is stored");
            assert!(stored.parent.as_ref().is_none_or(|parent| seen.contains(parent)), "{} before its parent", change.record);
            seen.insert(change.record);
        }
    }

    async fn gdpr_18_what_was_not_asked_for_is_not_stored_even_if_it_is_sent(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.platform.now(|script| {
            let mut leaky = proposal("1");
            leaky.fields["author"]["email"] = json!("canary@example.org");
            leaky.fields["authorBirthDate"] = json!("canary-1980-01-01");
            leaky.context["documentNumber"] = json!("canary-123");
            script.items.push(leaky);
        });
        let summary = lyon.run().await;
        assert!(!format!("{summary:?}").contains("canary"));
        let stored = lyon.contribution("1").await;
        let everything = format!("{stored:?} {}", String::from_utf8_lossy(&stored.sealed));
        assert!(!everything.contains("canary"), "{everything}");
        let report = stored.record.and_then(|record| record.mapping).expect("a mapping report");
        assert_eq!(report.unmapped, ["author.email", "authorBirthDate", "context.documentNumber"]);
        assert!(now(&lyon).seconds() > 0);
    }
}
