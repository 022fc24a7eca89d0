//! The whole vocabulary on its way: every class reaches a partner, in pages and pushed, and is called back.

use passerelle::domain::partner::FollowState;
use passerelle::domain::{Body, Class, Record, RecordId};
use passerelle::store::CopyStanding;
use serde_json::Value;
use url::Url;

use super::journeys::sound;
use crate::store_tests;
use crate::support::content::{comment, consultation, contribution, id, record};
use crate::support::gateway::{TestGateway, get_as, morning, settle};
use crate::support::stores::Databases;
use crate::support::works;

/// One record of each class of the second half, each before what it hangs on.
fn second_half(url: &Url) -> Vec<Record> {
    let of = |class, n| id(url, class, n);
    let process = of(Class::Consultation, 1);
    let roots = [of(Class::Contribution, 1)];
    let (meeting, result, part) = (of(Class::Meeting, 1), of(Class::Result, 1), of(Class::Result, 3));
    let say = |class, n, body| record(url, of(class, n), &format!("{class} {n}"), body);
    let reply = |n, to: &RecordId| {
        let mut reply = comment(url, n);
        if let Body::Comment(body) = &mut reply.body {
            body.in_reply_to = to.clone();
        }
        reply
    };
    vec![
        say(Class::Document, 2, Body::Document(works::document(&part, &process))),
        say(Class::Document, 1, Body::Document(works::document(&meeting, &process))),
        reply(8, &part),
        reply(7, &meeting),
        say(Class::ProgressUpdate, 2, Body::ProgressUpdate(works::news(&part, &process))),
        say(Class::Result, 3, Body::Result(works::result(&process, &[of(Class::BudgetProject, 1)], Some(&result)))),
        say(Class::Result, 1, Body::Result(works::result(&process, &[], None))),
        say(Class::Commitment, 1, Body::Commitment(works::commitment(&process, &roots, "2027-09-01"))),
        say(Class::Decision, 1, Body::Decision(works::decision(&process, &roots))),
        say(Class::Poll, 1, Body::Poll(works::poll(&process))),
        say(Class::BudgetProject, 1, Body::BudgetProject(works::project(&process))),
        say(Class::Meeting, 1, Body::Meeting(works::meeting(&process))),
        contribution(url, 1),
        consultation(url, 1),
    ]
}

store_tests! {
    async fn every_class_is_read_by_a_partner_pushed_to_it_and_called_back(databases: Databases) {
        let (lyon, bordeaux) = TestGateway::two(&databases, &morning()).await;
        let records = second_half(&lyon.url);
        // Half is there before Bordeaux follows, the rest is news.
        let (news, old) = records.split_at(6);
        lyon.publish(old).await?;
        lyon.accept(&bordeaux).await?;
        bordeaux.accept(&lyon).await?;
        settle(&[&lyon, &bordeaux]).await?;
        lyon.publish(news).await?;
        settle(&[&lyon, &bordeaux]).await?;
        for record in &records {
            let copy = bordeaux.copy(&record.id).await?.unwrap_or_else(|| panic!("{} did not arrive", record.id));
            assert_eq!((copy.standing, copy.class), (CopyStanding::Live, record.class()));
            assert_eq!(copy.sealed, lyon.record(&record.id).await?.sealed, "byte for byte");
            assert_eq!(copy.parent.as_ref(), record.parent(), "{}", record.id);
            // Where the platform keeps a file is nobody else's to know.
            let sent = String::from_utf8_lossy(&copy.sealed).into_owned();
            assert!(!sent.contains("signature=abc"), "{sent}");
        }
        for record in &records {
            lyon.delete(&record.id).await?;
        }
        settle(&[&lyon, &bordeaux]).await?;
        for record in &records {
            let copy = bordeaux.copy(&record.id).await?.expect("its id stays");
            assert_eq!((copy.standing, copy.class, copy.record), (CopyStanding::Deleted, record.class(), None));
        }
        sound(&lyon, &bordeaux).await?;
    }

    async fn a_page_has_every_parent_before_its_child_whatever_their_classes(databases: Databases) {
        let (lyon, bordeaux) = TestGateway::two(&databases, &morning()).await;
        lyon.publish(&second_half(&lyon.url)).await?;
        lyon.list(&bordeaux.as_partner(FollowState::Accepted, FollowState::None)).await?;
        let answered = get_as(&bordeaux, &lyon, "/actor/records").await?;
        let page: Value = serde_json::from_slice(&answered.body)?;
        let items = page["orderedItems"].as_array().expect("items");
        assert_eq!(items.len(), 14);
        for (n, item) in items.iter().enumerate() {
            for parent in ["process", "inReplyTo"].into_iter().filter_map(|name| item[name].as_str()) {
                let before = items[..n].iter().any(|earlier| earlier["id"] == parent);
                assert!(before, "{parent} comes after {}", item["id"]);
            }
        }
    }
}
