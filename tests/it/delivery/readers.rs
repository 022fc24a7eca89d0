//! Servers of the Fediverse read along: their accounts follow, and get what is public, once a server.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode};
use passerelle::domain::partner::FollowState;
use passerelle::domain::record::{ModerationState, ReasonCode};
use passerelle::domain::{Class, Record};
use passerelle::federation::pairing::{self, Introduction, PairingError};
use passerelle::store::DisclosureState;
use passerelle::store::schemes::REMEMBERED;
use serde_json::json;

use crate::store_tests;
use crate::support::content::{comment, consultation, contribution, id, text};
use crate::support::fediverse::{Account, Fediverse, Post};
use crate::support::gateway::{TestGateway, morning, plain, settle};
use crate::support::shapes;
use crate::support::stores::Databases;

/// Lyon, and a server that it lists.
async fn listed(databases: &Databases) -> anyhow::Result<(passerelle::domain::time::ManualClock, TestGateway, Fediverse)> {
    let clock = morning();
    let lyon = TestGateway::start(databases, "lyon", &clock).await;
    let social = Fediverse::start("social").await;
    social.listed_by(&lyon).await?;
    social.gets();
    Ok((clock, lyon, social))
}

async fn publish(lyon: &TestGateway, records: &[Record]) -> anyhow::Result<()> {
    lyon.publish(records).await?;
    settle(&[lyon]).await
}

fn authority(lyon: &TestGateway) -> String {
    lyon.federation.actor().to_string()
}

/// Type, object and inbox of each request.
fn told(posts: &[Post]) -> Vec<(String, String, String)> {
    let mut told: Vec<_> =
        posts.iter().map(|post| (post.kind().to_owned(), post.object().to_owned(), post.path.clone())).collect();
    told.sort();
    told
}

fn of(kind: &str, record: &Record, inbox: &str) -> (String, String, String) {
    (kind.to_owned(), record.id.to_string(), inbox.to_owned())
}

async fn followers(lyon: &TestGateway, social: &Fediverse) -> anyhow::Result<(u64, FollowState)> {
    let mut tx = lyon.federation.store.read().await?;
    let count = tx.follower_counts().await?.get(&social.domain).copied().unwrap_or(0);
    Ok((count, tx.lookup_partner(&social.domain).await?.expect("it is listed").follows_us))
}

/// A server that reads one scheme and refuses the other, as `status` says.
fn reads_only(rfc9421: bool, status: StatusCode) -> impl Fn(&Post) -> Option<axum::response::Response> + Send + Sync + 'static {
    move |post| (post.is_rfc9421() != rfc9421).then(|| plain(status))
}

/// The schemes of what came, in order: true for RFC 9421.
fn schemes(social: &Fediverse) -> Vec<bool> {
    social.posts().iter().map(Post::is_rfc9421).collect()
}

async fn following(lyon: &TestGateway, social: &Fediverse) -> anyhow::Result<Account> {
    let ana = social.account("ana", true);
    ana.follow(lyon, "follow", &authority(lyon)).await?;
    social.posts();
    Ok(ana)
}

store_tests! {
    async fn accounts_of_a_listed_server_follow_and_their_server_is_told_once(databases: Databases) {
        let (_, lyon, social) = listed(&databases).await?;
        let (ana, bo) = (social.account("ana", true), social.account("bo", true));
        // The second account comes within five minutes of the first and is not kept waiting.
        ana.follow(&lyon, "a", &authority(&lyon)).await?;
        bo.follow(&lyon, "b", &authority(&lyon)).await?;
        assert_eq!(social.gets(), ["/users/ana", "/users/bo"], "each key is fetched once");
        let accepts = social.posts();
        assert_eq!(accepts.len(), 2);
        for (accept, account) in accepts.iter().zip([&ana, &bo]) {
            assert_eq!((accept.kind(), accept.path.as_str()), ("Accept", "/inbox"));
            let follow = &accept.activity["object"];
            assert_eq!((&follow["type"], &follow["actor"]), (&json!("Follow"), &json!(account.actor())));
            assert_eq!((&follow["object"], &accept.activity["to"]), (&json!(authority(&lyon)), &json!([account.actor()])));
        }
        assert_eq!(followers(&lyon, &social).await?, (2, FollowState::Accepted));

        let records = [consultation(&lyon.url, 1), contribution(&lyon.url, 1), comment(&lyon.url, 1)];
        publish(&lyon, &records).await?;
        let posts = social.posts();
        let expected: Vec<_> = records.iter().map(|record| of("Create", record, "/inbox")).collect();
        let mut sorted = expected.clone();
        sorted.sort();
        assert_eq!(told(&posts), sorted, "one request a record");
        for post in &posts {
            assert_eq!(shapes::is_carrier(&post.activity), Ok(()));
            assert!(!post.is_rfc9421());
            let signature = post.headers["signature"].to_str()?;
            assert!(signature.contains(r#"algorithm="rsa-sha256""#) && signature.contains("#main-key"), "{signature}");
            assert_eq!(post.activity["to"], json!(["https://www.w3.org/ns/activitystreams#Public"]));
            let process = id(&lyon.url, Class::Consultation, 1);
            assert_eq!(post.activity["cc"], json!([format!("{}/followers", authority(&lyon)), format!("{process}/followers")]));
            let sealed: serde_json::Value = serde_json::from_slice(&lyon.record(&post.object().parse()?).await?.sealed)?;
            assert_eq!(post.activity["object"], sealed, "with its proof");
        }
        let row = lyon.federation.store.read().await?.lookup_disclosure(&social.domain, &records[0].id).await?;
        let row = row.expect("it is in the ledger");
        assert_eq!((row.state, row.acked_revision, row.receipt), (DisclosureState::Acknowledged, Some(1), None));

        // One goes, the other stays; then that one takes its Follow back by its address alone.
        let undo = ana.activity("undo", "Undo", &ana.activity("a", "Follow", &json!(authority(&lyon))));
        assert_eq!(ana.post(&lyon, &undo).await?, 202);
        lyon.edit(&records[1].id, |record| record.content = text("Autre texte.")).await?;
        settle(&[&lyon]).await?;
        assert_eq!(told(&social.posts()), [of("Update", &records[1], "/inbox")]);
        let by_id = bo.activity("undo-b", "Undo", &bo.activity("b", "Follow", &json!(null))["id"]);
        assert_eq!(bo.post(&lyon, &by_id).await?, 202);
        settle(&[&lyon]).await?;
        assert_eq!(followers(&lyon, &social).await?, (0, FollowState::None));
        publish(&lyon, &[contribution(&lyon.url, 2)]).await?;
        assert_eq!(social.posts().len(), 0);

        // Whoever got a record hears of its end all the same, and nobody waits for a receipt.
        lyon.delete(&records[1].id).await?;
        settle(&[&lyon]).await?;
        let posts = social.posts();
        assert_eq!(told(&posts), [of("Delete", &records[1], "/inbox")]);
        assert_eq!(shapes::erased(&posts[0].activity).as_deref(), Ok(records[1].id.as_str()));
        let row = lyon.federation.store.read().await?.lookup_disclosure(&social.domain, &records[1].id).await?;
        assert_eq!(row.expect("it is in the ledger").state, DisclosureState::Acknowledged);
    }

    async fn an_inbox_that_one_shares_and_another_calls_its_own_is_told_once_and_to_the_end(databases: Databases) {
        let (_, lyon, social) = listed(&databases).await?;
        let ana = following(&lyon, &social).await?;
        // As a server's own actor, which has the shared inbox for its own.
        let mut tx = lyon.federation.store.write().await?;
        let hers = tx.lookup_account(ana.actor()).await?.expect("she follows");
        let actor = social.url.join("/actor")?.as_str().parse()?;
        let inbox = hers.shared_inbox.clone().expect("her server has one");
        let own = passerelle::domain::account::Account { actor, inbox, shared_inbox: None, ..hers };
        tx.put_account(&own).await?;
        tx.put_follower(&own, None, "f", lyon.federation.now()).await?;
        tx.save().await?;

        let record = contribution(&lyon.url, 1);
        publish(&lyon, &[consultation(&lyon.url, 1), record.clone()]).await?;
        let posts = told(&social.posts());
        assert_eq!(posts.iter().filter(|post| **post == of("Create", &record, "/inbox")).count(), 1, "{posts:?}");
        let row = lyon.federation.store.read().await?.lookup_disclosure(&social.domain, &record.id).await?;
        assert_eq!(row.map(|row| (row.state, row.acked_revision)), Some((DisclosureState::Acknowledged, Some(1))));
        lyon.delete(&record.id).await?;
        settle(&[&lyon]).await?;
        assert_eq!(told(&social.posts()), [of("Delete", &record, "/inbox")]);
    }

    async fn a_server_without_a_shared_inbox_is_told_at_each_account(databases: Databases) {
        let (clock, lyon, social) = listed(&databases).await?;
        let accounts: Vec<Account> = (1..=6).map(|n| social.account(&format!("u{n}"), false)).collect();
        for (n, account) in accounts.iter().enumerate() {
            account.follow(&lyon, &format!("f{n}"), &authority(&lyon)).await?;
        }
        let accepts = social.posts();
        assert_eq!(accepts.iter().map(|post| post.path.clone()).collect::<Vec<_>>(), (1..=6).map(|n| format!("/users/u{n}/inbox")).collect::<Vec<_>>());
        // One of them fails: the others are told once, and it alone again.
        social.answer(|post| (post.path == "/users/u2/inbox").then(|| plain(StatusCode::INTERNAL_SERVER_ERROR)));
        let record = consultation(&lyon.url, 1);
        publish(&lyon, std::slice::from_ref(&record)).await?;
        for _ in 0..8 {
            clock.advance(Duration::from_hours(1));
            settle(&[&lyon]).await?;
        }
        let mut counts = std::collections::BTreeMap::<String, usize>::new();
        for post in social.posts() {
            *counts.entry(post.path).or_default() += 1;
        }
        assert!(counts.remove("/users/u2/inbox").is_some_and(|tries| tries >= 2), "{counts:?}");
        assert_eq!(counts.len(), 5);
        assert!(counts.values().all(|count| *count == 1), "{counts:?}");
        social.heal();
        clock.advance(Duration::from_hours(1));
        settle(&[&lyon]).await?;
        assert_eq!(told(&social.posts()), [of("Create", &record, "/users/u2/inbox")]);

        // One is gone for good, and with it its follow; the others are told of the end.
        social.answer(|post| (post.path == "/users/u3/inbox").then(|| plain(StatusCode::GONE)));
        lyon.delete(&record.id).await?;
        for _ in 0..4 {
            settle(&[&lyon]).await?;
            clock.advance(Duration::from_hours(1));
        }
        let expected: Vec<_> = (1..=6).map(|n| of("Delete", &record, &format!("/users/u{n}/inbox"))).collect();
        assert_eq!(told(&social.posts()), expected);
        assert_eq!(followers(&lyon, &social).await?, (5, FollowState::Accepted));
        let health = lyon.federation.store.read().await?.partner_health(&social.domain).await?.expect("it is listed");
        assert_eq!((health.failures.0, health.blocked), (0, None), "an account's end is not its server's");
    }

    async fn one_consultation_is_followed_by_itself(databases: Databases) {
        let (_, lyon, social) = listed(&databases).await?;
        let mut other = contribution(&lyon.url, 2);
        if let passerelle::domain::Body::Contribution(body) = &mut other.body {
            body.process = id(&lyon.url, Class::Consultation, 2);
        }
        let (one, two) = (consultation(&lyon.url, 1), consultation(&lyon.url, 2));
        publish(&lyon, &[one.clone(), two.clone()]).await?;
        let (ana, bo) = (social.account("ana", true), social.account("bo", true));
        ana.follow(&lyon, "a", one.id.as_str()).await?;
        let accept = &social.posts()[0];
        assert_eq!(accept.activity["object"]["object"], json!(one.id));
        let records = [contribution(&lyon.url, 1), other.clone()];
        publish(&lyon, &records).await?;
        assert_eq!(told(&social.posts()), [of("Create", &records[0], "/inbox")], "nothing of what it does not follow");
        assert_eq!(lyon.federation.store.read().await?.lookup_disclosure(&social.domain, &other.id).await?, None);

        // By the address of the followers it is the same consultation; both are counted, neither is named.
        bo.follow(&lyon, "b", &format!("{}/followers", one.id)).await?;
        let mut tx = lyon.federation.store.read().await?;
        assert_eq!((tx.count_followers(Some(&one.id)).await?, tx.count_followers(Some(&two.id)).await?), (2, 0));
        assert_eq!(tx.count_followers(None).await?, 0);
        drop(tx);
        for (key, object) in [
            ("x", format!("{}consultations/unknown", lyon.url)),
            ("y", records[0].id.to_string()),
            ("z", "http://elsewhere.localhost/actor".to_owned()),
        ] {
            assert_eq!(ana.post(&lyon, &ana.activity(key, "Follow", &json!(object))).await?, 404, "{object}");
        }
        // A hidden consultation is not followed.
        lyon.edit(&two.id, |record| *record = record.clone().hidden()).await?;
        assert_eq!(ana.post(&lyon, &ana.activity("h", "Follow", &json!(two.id))).await?, 404);

        // Its own end: the account deletes itself.
        social.posts();
        assert_eq!(ana.post(&lyon, &ana.activity("gone", "Delete", &json!(ana.actor()))).await?, 202);
        assert_eq!(bo.post(&lyon, &bo.activity("gone-b", "Delete", &json!(bo.actor()))).await?, 202);
        settle(&[&lyon]).await?;
        assert_eq!(followers(&lyon, &social).await?, (0, FollowState::None));
        let mut tx = lyon.federation.store.read().await?;
        assert_eq!(tx.lookup_account(ana.actor()).await?, None);
        assert!(tx.letters_of(&social.domain, 100).await?.is_empty(), "what it was answered names it");
        let first = tx.lookup_journal(&social.domain, &format!("{}activities/a", social.url)).await?.expect("a row");
        assert_eq!(first.body, None, "and so does what it sent");
    }

    async fn a_server_that_takes_rfc_9421_alone_is_knocked_at_twice_once(databases: Databases) {
        let (clock, lyon, social) = listed(&databases).await?;
        following(&lyon, &social).await?;
        for status in [StatusCode::UNAUTHORIZED, StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN] {
            social.answer(reads_only(true, status));
            let n = u32::from(status.as_u16());
            publish(&lyon, &[contribution(&lyon.url, n)]).await?;
            assert_eq!(schemes(&social), [false, true], "{status}");
            publish(&lyon, &[contribution(&lyon.url, n + 1000)]).await?;
            assert_eq!(schemes(&social), [true], "it is remembered");
            // It is not for ever.
            clock.advance(REMEMBERED);
        }
        // Nothing else is a reason to knock again, nor to remember.
        social.answer(|_| Some(plain(StatusCode::SERVICE_UNAVAILABLE)));
        publish(&lyon, &[contribution(&lyon.url, 1)]).await?;
        assert_eq!(schemes(&social), [false]);
        social.heal();
        clock.advance(Duration::from_hours(1));
        settle(&[&lyon]).await?;
        assert_eq!(schemes(&social), [false]);
        let now = lyon.federation.now();
        let kept = lyon.federation.store.read().await?.preferred_schemes(&[&social.domain], now).await?.remove(&social.domain);
        assert_eq!(kept, None);
    }

    async fn what_a_server_sends_or_asks_for_is_what_it_gets(databases: Databases) {
        let (_, lyon, social) = listed(&databases).await?;
        let ana = following(&lyon, &social).await?;
        // It signs with RFC 9421 itself.
        assert_eq!(ana.post_rfc9421(&lyon, &ana.activity("like", "Like", &json!(authority(&lyon)))).await?, 202);
        publish(&lyon, &[contribution(&lyon.url, 1)]).await?;
        assert_eq!(schemes(&social), [true]);
        // It does not read what it sends: the fallback is remembered, whatever it sends.
        social.answer(reads_only(false, StatusCode::UNAUTHORIZED));
        publish(&lyon, &[contribution(&lyon.url, 2)]).await?;
        assert_eq!(schemes(&social), [true, false]);
        assert_eq!(ana.post_rfc9421(&lyon, &ana.activity("like-2", "Like", &json!(authority(&lyon)))).await?, 202);
        publish(&lyon, &[contribution(&lyon.url, 3)]).await?;
        assert_eq!(schemes(&social), [false]);

        // Another one asks for it.
        let other = Fediverse::start("other").await;
        other.listed_by(&lyon).await?;
        let zoe = other.account("zoe", true);
        zoe.follow(&lyon, "follow", &authority(&lyon)).await?;
        other.posts();
        other.answer(|_| {
            let mut answer = plain(StatusCode::ACCEPTED);
            let wish = r#"sig1=("@method" "@target-uri" "content-digest");created;keyid"#;
            answer.headers_mut().insert("accept-signature", HeaderValue::from_static(wish));
            Some(answer)
        });
        publish(&lyon, &[contribution(&lyon.url, 4)]).await?;
        publish(&lyon, &[contribution(&lyon.url, 5)]).await?;
        assert_eq!(schemes(&other), [false, true]);
    }

    async fn a_partner_gets_rfc_9421_with_its_pinned_key_whatever_happens(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two_paired(&databases, &clock).await?;
        bordeaux.disturb(|parts, _| {
            let signed = parts.headers.get("signature-input").and_then(|value| value.to_str().ok()).unwrap_or_default();
            let good = signed.contains("alg=\"ed25519\"") && signed.contains("#ed25519-key");
            (parts.method == "POST").then(|| plain(if good { StatusCode::UNAUTHORIZED } else { StatusCode::IM_A_TEAPOT }))
        });
        bordeaux.posts();
        publish(&lyon, &[consultation(&lyon.url, 1)]).await?;
        assert_eq!(bordeaux.posts().len(), 1, "no second knock");
        let row = lyon.ledger(&bordeaux, &id(&lyon.url, Class::Consultation, 1)).await?.expect("it is in the ledger");
        assert_eq!(row.last_status, Some(401));
    }

    async fn a_server_is_listed_by_its_name_wherever_its_own_actor_is(databases: Databases) {
        let (_, lyon, social) = listed(&databases).await?;
        let listed = lyon.federation.store.read().await?.lookup_partner(&social.domain).await?.expect("it is listed");
        assert_eq!((listed.rsa, listed.follows_us), (None, FollowState::None), "it has no actor at /actor");
        // Listed again, its followers stay.
        following(&lyon, &social).await?;
        social.listed_by(&lyon).await?;
        assert_eq!(followers(&lyon, &social).await?, (1, FollowState::Accepted));
        // Nobody answers there.
        let nobody = pairing::accept(&lyon.federation, &"localhost:1".parse()?, &Introduction::Reader).await;
        assert!(matches!(nobody, Err(PairingError::Unreachable { .. })), "{nobody:?}");
    }

    async fn what_is_hidden_or_withdrawn_is_deleted_at_a_reader_and_made_again_when_it_is_shown(databases: Databases) {
        let (_, lyon, social) = listed(&databases).await?;
        let ana = following(&lyon, &social).await?;
        let record = comment(&lyon.url, 1);
        publish(&lyon, &[consultation(&lyon.url, 1), contribution(&lyon.url, 1), record.clone()]).await?;
        assert!(told(&social.posts()).contains(&of("Create", &record, "/inbox")));
        let words = record.content.clone();
        let hide = async |lyon: &TestGateway| {
            lyon.edit(&record.id, |record| *record = record.clone().hidden()).await?;
            settle(&[lyon]).await
        };
        let row = async |lyon: &TestGateway| {
            let row = lyon.federation.store.read().await?.lookup_disclosure(&social.domain, &record.id).await?;
            anyhow::Ok(row.map(|row| (row.state, row.acked_revision)))
        };

        hide(&lyon).await?;
        let posts = social.posts();
        assert_eq!(told(&posts), [of("Delete", &record, "/inbox")]);
        // Nothing that would say that it is gone for good, and no word of its own that a reader does not know.
        assert_eq!(posts[0].activity["object"], json!({"id": record.id, "type": "Tombstone"}));
        assert_eq!(shapes::erased(&posts[0].activity).as_deref(), Ok(record.id.as_str()));
        assert_eq!(row(&lyon).await?, Some((DisclosureState::Acknowledged, Some(2))));
        // Changed while it is hidden: the reader has nothing to lose.
        lyon.edit(&record.id, |record| record.reason = Some(ReasonCode::OutOfScope)).await?;
        settle(&[&lyon]).await?;
        assert_eq!(told(&social.posts()), []);
        assert_eq!(row(&lyon).await?, Some((DisclosureState::Acknowledged, Some(3))));

        lyon.edit(&record.id, |record| {
            record.moderation = ModerationState::Visible;
            record.content = words;
        })
        .await?;
        settle(&[&lyon]).await?;
        assert_eq!(told(&social.posts()), [of("Create", &record, "/inbox")]);
        lyon.edit(&record.id, |record| record.content = text("Autrement dit.")).await?;
        settle(&[&lyon]).await?;
        assert_eq!(told(&social.posts()), [of("Update", &record, "/inbox")]);

        // Withdrawn, when nobody follows any more; its end is no news then.
        let undo = ana.activity("undo", "Undo", &ana.activity("follow", "Follow", &json!(authority(&lyon))));
        assert_eq!(ana.post(&lyon, &undo).await?, 202);
        lyon.edit(&record.id, |record| *record = record.clone().withdrawn()).await?;
        settle(&[&lyon]).await?;
        assert_eq!(told(&social.posts()), [of("Delete", &record, "/inbox")]);
        lyon.delete(&record.id).await?;
        settle(&[&lyon]).await?;
        assert_eq!(told(&social.posts()), []);
        assert_eq!(row(&lyon).await?.map(|(state, _)| state), Some(DisclosureState::Acknowledged));
    }

    async fn what_was_taken_back_before_a_reader_got_it_does_not_come(databases: Databases) {
        let (clock, lyon, social) = listed(&databases).await?;
        following(&lyon, &social).await?;
        let (hidden, withdrawn) = (contribution(&lyon.url, 1).hidden(), contribution(&lyon.url, 2).withdrawn());
        publish(&lyon, &[consultation(&lyon.url, 1), hidden, withdrawn]).await?;
        assert_eq!(social.posts().iter().filter(|post| post.object().contains("/contributions/")).count(), 0);
        // Who did not say whether it took it may have it.
        let record = contribution(&lyon.url, 3);
        social.answer(|_| Some(plain(StatusCode::BAD_GATEWAY)));
        publish(&lyon, std::slice::from_ref(&record)).await?;
        assert_eq!(told(&social.posts()), [of("Create", &record, "/inbox")]);
        social.heal();
        lyon.edit(&record.id, |record| *record = record.clone().hidden()).await?;
        clock.advance(Duration::from_hours(1));
        settle(&[&lyon]).await?;
        assert_eq!(told(&social.posts()), [of("Delete", &record, "/inbox")]);
    }

    async fn of_several_inboxes_each_is_told_what_it_lacks(databases: Databases) {
        let (clock, lyon, social) = listed(&databases).await?;
        let (ana, bo) = (social.account("ana", false), social.account("bo", false));
        ana.follow(&lyon, "a", &authority(&lyon)).await?;
        let record = contribution(&lyon.url, 1);
        publish(&lyon, &[consultation(&lyon.url, 1), record.clone()]).await?;
        social.posts();
        // Who follows later gets the next revision as news.
        bo.follow(&lyon, "b", &authority(&lyon)).await?;
        social.posts();
        lyon.edit(&record.id, |record| record.content = text("Autre texte.")).await?;
        settle(&[&lyon]).await?;
        let (anas, bos) = ("/users/ana/inbox", "/users/bo/inbox");
        assert_eq!(told(&social.posts()), [of("Create", &record, bos), of("Update", &record, anas)]);
        // One of them is away while it is hidden, and told to update when it is shown again before that.
        social.answer(move |post| (post.path == anas).then(|| plain(StatusCode::SERVICE_UNAVAILABLE)));
        lyon.edit(&record.id, |record| *record = record.clone().hidden()).await?;
        settle(&[&lyon]).await?;
        assert_eq!(told(&social.posts()), [of("Delete", &record, anas), of("Delete", &record, bos)]);
        social.heal();
        let title = record.title.clone();
        lyon.edit(&record.id, |record| (record.moderation, record.title) = (ModerationState::Visible, title)).await?;
        clock.advance(Duration::from_hours(1));
        settle(&[&lyon]).await?;
        assert_eq!(told(&social.posts()), [of("Create", &record, bos), of("Update", &record, anas)]);
    }
}
