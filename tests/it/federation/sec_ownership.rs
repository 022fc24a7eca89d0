//! SEC-062 … SEC-081: who may say what to whom (security.md §2.2). Whose records are whose: `sec_identity`.

use http::StatusCode;
use passerelle::domain::PartnerDomain;
use passerelle::domain::partner::{FollowState, PartnerKind};
use passerelle::federation::refusal::Code;
use passerelle::store::{CopyStanding, JournalState};
use serde_json::json;

use super::rig::Rig;
use crate::store_tests;
use crate::support::peer::Peer;
use crate::support::stores::Databases;

async fn follows_us(rig: &Rig, peer: &Peer) -> anyhow::Result<FollowState> {
    let domain: PartnerDomain = peer.keys.actor().domain();
    let partner = rig.federation.store.read().await?.lookup_partner(&domain).await?;
    Ok(partner.map_or(FollowState::None, |partner| partner.follows_us))
}

store_tests! {
    async fn sec_062_a_partner_that_deletes_itself_waits_for_a_person(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.apply(&rig.create()).await?;
        rig.apply(&rig.b.activity("d", "Delete", &json!(rig.b.keys.actor()))).await?;
        assert_eq!(rig.copy(&rig.contribution().id).await?.map(|copy| copy.standing), Some(CopyStanding::Live));
        assert_eq!(rig.audit("partner-deletes-itself").await?.len(), 1);
    }

    async fn sec_064_only_its_own_follow_is_undone(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let follow = rig.b.activity("f", "Follow", &json!("https://a.example/actor"));
        rig.apply(&follow).await?;
        assert_eq!(follows_us(&rig, &rig.b).await?, FollowState::Accepted);
        let foreign = json!({"id": "https://c.example/f", "type": "Follow", "actor": rig.c.keys.actor(), "object": "https://a.example/actor"});
        rig.refuses(&rig.b.post(&rig.b.activity("u0", "Undo", &foreign), rig.now()), 403, &[Code::NotOwner]).await?;
        rig.apply(&rig.b.activity("u1", "Undo", &json!("https://b.example/unknown"))).await?;
        assert_eq!(follows_us(&rig, &rig.b).await?, FollowState::Accepted);
        rig.apply(&rig.b.activity("u2", "Undo", &follow)).await?;
        assert_eq!(follows_us(&rig, &rig.b).await?, FollowState::None);
    }

    async fn sec_065_an_answer_to_nothing_changes_nothing(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let to_c = json!({"id": "https://a.example/activities/to-c", "type": "Follow"});
        let mut tx = rig.federation.store.write().await?;
        tx.put_letter(&rig.c.keys.actor().domain(), "https://a.example/activities/to-c", &to_c.to_string(), rig.now()).await?;
        tx.save().await?;
        let partners = rig.federation.store.read().await?.list_partners().await?;
        for (n, object) in [json!("https://a.example/activities/never"), to_c.clone(), json!("https://m.example/approval")].into_iter().enumerate() {
            for kind in ["Accept", "Reject"] {
                let activity = rig.b.activity(&format!("{kind}-{n}"), kind, &object);
                rig.apply(&activity).await?;
                assert_eq!(rig.journal(&activity).await?.map(|row| row.state), Some(JournalState::Ignored));
            }
        }
        assert_eq!(rig.federation.store.read().await?.list_partners().await?, partners);
        rig.accepts(&rig.c.post(&rig.c.activity("yes", "Accept", &to_c), rig.now())).await?;
        let c = rig.federation.store.read().await?.lookup_partner(&rig.c.keys.actor().domain()).await?;
        assert_eq!(c.map(|c| c.followed), Some(FollowState::Accepted));
    }

    async fn sec_066_a_follow_is_its_senders_own_and_of_us(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut foreign = rig.b.activity("f", "Follow", &json!("https://a.example/actor"));
        foreign["actor"] = json!(rig.c.keys.actor());
        rig.refuses(&rig.b.post(&foreign, rig.now()), 401, &[Code::ActorMismatch]).await?;
        let nobody = rig.b.activity("n", "Follow", &json!("https://a.example/nobody"));
        rig.refuses(&rig.b.post(&nobody, rig.now()), 404, &[Code::NotFound]).await?;
        for n in 0..20 {
            rig.apply(&rig.b.activity(&format!("f{n}"), "Follow", &json!("https://a.example/actor"))).await?;
        }
        assert_eq!(follows_us(&rig, &rig.b).await?, FollowState::Accepted);
        assert_eq!(follows_us(&rig, &rig.c).await?, FollowState::None);
        assert_eq!(rig.rows("partner").await?, 2);
    }

    async fn sec_069_sec_080_sec_081_shapes_of_several_meanings_are_refused(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut collection = rig.create();
        collection["type"] = json!("OrderedCollection");
        rig.refuses(&rig.b.post(&collection, rig.now()), 400, &[Code::Unsupported]).await?;
        let nested = rig.b.activity("n", "Create", &rig.create());
        rig.refuses(&rig.b.post(&nested, rig.now()), 400, &[Code::Unsupported]).await?;
        let mut kinds = rig.create();
        kinds["type"] = json!(["Create", "Delete"]);
        rig.refuses(&rig.b.post(&kinds, rig.now()), 400, &[Code::InvalidActivity]).await?;
        let twice = rig.create().to_string().replacen("\"type\":\"Create\"", "\"type\":\"Create\",\"type\":\"Delete\"", 1);
        let mut knock = crate::support::peer::Knock::post(twice, rig.now());
        knock.rfc9421(&rig.b, &crate::support::peer::Rfc9421::usual(&rig.b, rig.now()));
        rig.refuses(&knock, 400, &[Code::InvalidJson]).await?;
        let wave = rig.b.activity("w", "Wave", &json!("https://a.example/actor"));
        rig.apply(&wave).await?;
        assert_eq!(rig.journal(&wave).await?.map(|row| row.state), Some(JournalState::Ignored));
    }

    async fn a_reader_follows_but_holds_no_records_here(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let reader = Peer::at("reader.example");
        rig.list(&reader.partner(PartnerKind::Reader)).await?;
        let follow = reader.activity("f", "Follow", &json!("https://a.example/actor"));
        let answer = rig.knock(&reader.post_cavage(&follow, rig.now())).await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::ACCEPTED, 0));
        let note = json!({"id": "https://reader.example/n", "type": "Note", "attributedTo": reader.keys.actor(), "content": "Moi aussi"});
        rig.accepts(&reader.post_cavage(&reader.activity("c", "Create", &note), rig.now())).await?;
        assert_eq!(follows_us(&rig, &reader).await?, FollowState::Accepted);
        assert_eq!(rig.rows("copy").await?, 0);
        rig.accepts(&reader.post_cavage(&reader.activity("d", "Delete", &json!(reader.keys.actor())), rig.now())).await?;
        assert_eq!(follows_us(&rig, &reader).await?, FollowState::None);
    }
}
