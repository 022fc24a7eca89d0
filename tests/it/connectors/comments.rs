//! Discussions with deleted and hidden comments, which null more than themselves.

use super::read;
use super::reading::{bordeaux, lyon};

#[tokio::test]
async fn one_deleted_comment_does_not_hide_its_proposal_nor_the_other_comments() {
    let platform = lyon().await;
    let before = read(&platform.url()).await;
    assert!(before.item("comment", 14).is_some() && before.item("comment", 17).is_some(), "four levels");
    assert!(platform.change(|state| state.delete_comment(15)));
    let reading = read(&platform.url()).await;
    assert!(reading.item("proposal", 10).is_some());
    assert!(reading.item("comment", 15).is_none(), "the deleted one is gone");
    for id in [14, 16, 17] {
        assert!(reading.item("comment", id).is_some(), "comment {id} is still shown");
    }
    assert_eq!(reading.item("comment", 16).unwrap().context["parent_comment"]["id"], "15");
    assert!(reading.report().entities["comment"].complete, "the platform's count says that all were found");
}

#[tokio::test]
async fn replies_below_a_hidden_comment_are_held_back() {
    for (platform, deleted_reply, hidden_reply) in [(lyon().await, 11, 13), (bordeaux().await, 71, 73)] {
        let reading = read(&platform.url()).await;
        assert!(reading.item("comment", deleted_reply).is_some(), "below a deleted one it is shown");
        assert!(reading.item("comment", hidden_reply).is_none());
        assert!(reading.is_withheld("comment", hidden_reply), "{:?}", reading.withheld);
    }
}

#[tokio::test]
async fn comments_below_a_hidden_proposal_never_come_although_the_open_data_list_them() {
    let platform = lyon().await;
    let on = platform.read(|state| state.comments.iter().find(|comment| comment.root == 3).unwrap().id);
    assert!(read(&platform.url()).await.item("comment", on).is_some());
    assert!(platform.change(|state| state.hide(3)));
    let reading = read(&platform.url()).await;
    assert!(reading.item("comment", on).is_none());
    assert!(reading.ids("comment").iter().all(|id| platform.read(|state| state.comment(*id).unwrap().root) != 3));
}

#[tokio::test]
async fn a_deleted_comment_without_open_data_makes_the_reading_incomplete_and_not_shorter() {
    let platform = lyon().await;
    platform.forget_open_data();
    let reading = read(&platform.url()).await;
    let report = &reading.report().entities["comment"];
    assert!(!report.complete, "nothing may be concluded from what is absent");
    assert!(report.why_incomplete.as_deref().unwrap().contains("proposal 1"), "{:?}", report.why_incomplete);
    assert!(reading.report().entities["proposal"].complete);
}

#[tokio::test]
async fn comments_newer_than_the_open_data_are_missed_aloud() {
    let platform = lyon().await;
    platform.freeze_open_data();
    platform.change(|state| state.add_comment(1, None, 4, 0, "Après l'exportation"));
    let reading = read(&platform.url()).await;
    let report = &reading.report().entities["comment"];
    assert!(!report.complete && report.why_incomplete.as_deref().unwrap().contains("1 comments"), "{report:?}");
}

#[tokio::test]
async fn a_deleted_account_takes_its_number_away_and_nothing_else() {
    let platform = lyon().await;
    let (comment, author) = platform.read(|state| {
        let comment = state.comment(14).unwrap();
        (comment.id, comment.author)
    });
    assert!(platform.change(|state| state.delete_account(author)));
    let reading = read(&platform.url()).await;
    assert!(reading.item("comment", comment).is_some());
    assert!(reading.report().entities["comment"].complete);
}
