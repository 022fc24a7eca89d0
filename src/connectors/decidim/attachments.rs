//! Files attached to something that is read. They have no ids and no pages: one is named by what it hangs on, its title
//! and its file name. Their addresses are signed, expire and differ at every read.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use url::Url;

use super::ATTACHMENT;
use super::scan::{Component, Draft, Process, Scan};
use crate::connectors::ConnectorError;
use crate::domain::digest::sha256;
use crate::domain::source::Evidence;

/// What files hang on.
#[derive(Clone, Copy)]
pub(super) struct Holder<'a> {
    pub(super) process: &'a Process,
    pub(super) component: Option<&'a Component>,
    pub(super) entity: &'static str,
    pub(super) id: &'a str,
    pub(super) url: &'a Option<Url>,
}

impl Scan<'_> {
    /// Sends the files of something that was sent.
    pub(super) async fn send_attachments(
        &mut self,
        holder: Holder<'_>,
        attachments: Value,
        evidence: &Evidence,
    ) -> Result<(), ConnectorError> {
        let Value::Array(attachments) = attachments else { return Ok(()) };
        let mut names = BTreeSet::new();
        // A link to somewhere else is listed among the files, and is none.
        for mut fields in attachments.into_iter().filter(|fields| fields["type"] != json!("link")) {
            let Some(file) = fields["url"].as_str().and_then(file_name) else { continue };
            let name = name_of(&holder, &fields["title"], &file);
            // The same file twice under the same title is one document.
            if !names.insert(name.clone()) {
                continue;
            }
            fields["id"] = json!(name);
            let mut context = holder.process.context(holder.component);
            context["of"] = json!({ "entity": holder.entity, "id": holder.id });
            let draft = Draft { url: holder.url.clone(), ..Draft::new(ATTACHMENT, fields, context, evidence) };
            self.send(draft).await?;
        }
        Ok(())
    }
}

/// Takes the files out of an item's fields; those of something that its author took back stay behind with its words.
pub(super) fn attachments_of(fields: &mut Value) -> Value {
    let attachments = fields["attachments"].take();
    let is = |name: &str, value: Value| fields.get(name) == Some(&value);
    let withdrawn = is("withdrawn", json!(true)) || is("isWithdrawn", json!(true)) || is("state", json!("withdrawn"));
    if withdrawn { Value::Null } else { attachments }
}

/// The end of a signed address, which is the name of the file.
fn file_name(address: &str) -> Option<String> {
    let path = address.split(['?', '#']).next()?;
    let (_, name) = path.rsplit_once('/')?;
    let name = percent_encoding::percent_decode_str(name).decode_utf8().ok()?;
    (!name.is_empty() && name.chars().count() <= 255 && !name.contains(['/', '\\', '\0'])).then(|| name.into_owned())
}

/// What stays the same from one reading to the next, short.
fn name_of(holder: &Holder<'_>, title: &Value, file: &str) -> String {
    let first = title["translations"].as_array().into_iter().flatten().find_map(|text| text["text"].as_str()).unwrap_or_default();
    let sum = sha256(format!("{first}\n{file}").as_bytes());
    format!("{}-{}-{}", holder.entity, holder.id, HEXLOWER.encode(&sum[..6]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_something_withdrawn_stay_behind() {
        let files = json!([{ "url": "https://h.example/a/plan.pdf" }]);
        let taken = |mark: &str, value: Value| attachments_of(&mut json!({ "attachments": files, mark: value }));
        assert_eq!(taken("state", json!("accepted")), files);
        for (mark, value) in [("state", json!("withdrawn")), ("withdrawn", json!(true)), ("isWithdrawn", json!(true))] {
            assert_eq!(taken(mark, value), Value::Null, "{mark}");
        }
    }

    #[test]
    fn a_signed_address_ends_in_the_name_of_the_file() {
        let signed = "http://h.example/rails/active_storage/disk/eyJf--ab/Compte%20rendu.pdf?x=1";
        assert_eq!(file_name(signed).as_deref(), Some("Compte rendu.pdf"));
        for odd in ["", "plan.pdf", "https://h.example/", "https://h.example/a%2Fb", "https://h.example/%ff"] {
            assert_eq!(file_name(odd), None, "{odd}");
        }
    }
}
