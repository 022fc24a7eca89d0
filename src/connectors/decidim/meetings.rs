//! The meetings of a component. Private ones are held back whatever the platform serves of them, and so is what was
//! written about a meeting before its report is visible.

use std::collections::BTreeMap;

use serde_json::Value;

use super::MEETING;
use super::attachments::{Holder, attachments_of};
use super::pages::thing_page;
use super::proposals::{Known, foreign};
use super::queries::Question;
use super::scan::{Component, Draft, Process, Scan};
use crate::connectors::ConnectorError;

/// What belongs to the report of a meeting. The platform serves the figures before the report is visible.
const REPORT_FIELDS: [&str; 4] = ["attendeeCount", "attendeesCount", "contributionCount", "attendingOrganizations"];

impl Scan<'_> {
    /// Reads and sends the meetings of a component.
    pub(super) async fn read_meetings(
        &mut self,
        process: &Process,
        component: &Component,
    ) -> Result<BTreeMap<String, Known>, ConnectorError> {
        self.progress(MEETING, format!("{} / component {}", process.slug, component.id)).await?;
        let mut list = self.read_unordered(Question::Meetings, process, component).await?;
        let mut known = BTreeMap::new();
        for mut fields in list.nodes {
            let id = fields["id"].as_str().unwrap_or_default().to_owned();
            if let Some(reason) = private(&fields).or_else(|| foreign(process, &fields)) {
                self.withhold(MEETING, &id, reason).await?;
                continue;
            }
            drop_hidden_report(&mut fields);
            fields["coordinates"] = list.places.get_mut(&id).map(|node| node["coordinates"].take()).unwrap_or_default();
            let attachments = attachments_of(&mut fields);
            let comments = fields["totalCommentsCount"].as_u64().unwrap_or_default();
            let url = thing_page(self.polite.base(), &fields, &process.slug, component);
            let context = process.context(Some(component));
            let draft = Draft { url: url.clone(), has_page: true, ..Draft::new(MEETING, fields, context, &process.evidence) };
            if let Some(evidence) = self.send(draft).await? {
                let holder = Holder { process, component: Some(component), entity: MEETING, id: &id, url: &url };
                self.send_attachments(holder, attachments, &evidence).await?;
                known.insert(id, Known { evidence, url, comments });
            }
        }
        Ok(known)
    }
}

/// Why a meeting is not for everybody, unless the platform says that it is.
fn private(fields: &Value) -> Option<String> {
    match fields.get("privateMeeting") {
        Some(Value::Bool(false)) => None,
        Some(Value::Bool(true)) => Some("it is a private meeting".to_owned()),
        _ => Some("the platform does not say that the meeting is for everybody".to_owned()),
    }
}

/// Nulls the figures of a meeting whose report is not visible.
fn drop_hidden_report(fields: &mut Value) {
    if let (true, Some(fields)) = (fields["closingReport"].is_null(), fields.as_object_mut()) {
        for name in REPORT_FIELDS {
            if let Some(field) = fields.get_mut(name) {
                *field = Value::Null;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_meeting_is_public_only_when_the_platform_says_so() {
        assert_eq!(private(&json!({ "privateMeeting": false, "transparent": true })), None);
        for fields in [json!({ "privateMeeting": true, "transparent": true }), json!({ "privateMeeting": null }), json!({})] {
            assert!(private(&fields).is_some(), "{fields}");
        }
    }

    #[test]
    fn the_figures_of_a_report_wait_for_the_report() {
        let mut fields = json!({ "closed": true, "closingReport": null, "attendeesCount": 26, "contributionCount": 5 });
        drop_hidden_report(&mut fields);
        assert_eq!(fields, json!({ "closed": true, "closingReport": null, "attendeesCount": null, "contributionCount": null }));
        let report = json!({ "closingReport": { "translations": [] }, "attendeesCount": 26 });
        let mut fields = report.clone();
        drop_hidden_report(&mut fields);
        assert_eq!(fields, report);
    }
}
