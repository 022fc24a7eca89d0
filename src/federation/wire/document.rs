//! `Document` of ActivityStreams: a file (participation.md §4.3.11).
//!
//! `url` is a link to the record's own address: a person who opens it is sent on to where the platform
//! keeps the file at that moment. The link carries the file's media type, since `mediaType` beside it is
//! that of the record's own text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scalar::{Address, Count, DocumentKindConcept, MediaTypeName, Multihash, constant};
use super::{WireError, same_process};
use crate::domain::RecordId;
use crate::domain::digest::Digest;
use crate::domain::document::{Document as DomainDocument, MediaType};
use crate::domain::record::Record;

constant!(
    /// The AS2 type of a document.
    DocumentType = "Document"
);
constant!(
    /// The class of a document.
    DocumentClass = "Document"
);
constant!(
    /// The `type` of the link to the file.
    LinkType = "Link"
);

/// Where the file is got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileLink {
    /// Always `Link`.
    #[serde(rename = "type")]
    pub node_type: LinkType,
    /// The address of the record.
    #[schemars(with = "Address")]
    pub href: RecordId,
    /// What sort of file it is.
    #[schemars(with = "Option<MediaTypeName>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Always `Document`.
    #[serde(rename = "type")]
    pub node_type: DocumentType,
    /// Always `Document`.
    pub record_type: DocumentClass,
    /// What it is attached to.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<RecordId>,
    /// The consultation it belongs to.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<RecordId>,
    /// The same, for readers that thread by `context`.
    #[schemars(with = "Option<Address>")]
    #[serde(rename = "context", skip_serializing_if = "Option::is_none")]
    pub thread: Option<RecordId>,
    /// Where the file is got.
    pub url: FileLink,
    /// How many bytes the file has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byte_size: Option<Count>,
    /// The digest of the file.
    #[schemars(with = "Option<Multihash>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Digest>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_kind: Option<DocumentKindConcept>,
}

impl Document {
    /// The properties of a document beside its envelope.
    #[must_use]
    pub fn of(record: &Record, body: &DomainDocument) -> Self {
        Self {
            node_type: DocumentType::Value,
            record_type: DocumentClass::Value,
            in_reply_to: body.attached_to.clone(),
            process: body.process.clone(),
            thread: body.process.clone(),
            url: FileLink { node_type: LinkType::Value, href: record.id.clone(), media_type: body.media_type.clone() },
            byte_size: body.byte_size.map(Count::new),
            checksum: body.checksum.clone(),
            document_kind: body.kind.map(DocumentKindConcept),
        }
    }

    /// The document that these properties describe.
    ///
    /// # Errors
    /// When its file is not got at its own address, or another property is not acceptable.
    pub fn read(&self, id: &RecordId) -> Result<DomainDocument, WireError> {
        same_process(self.process.as_ref(), self.thread.as_ref())?;
        if self.url.href != *id {
            return Err(WireError::new("url.href", "a document is got at its own address, which leads to the file"));
        }
        Ok(DomainDocument {
            attached_to: self.in_reply_to.clone(),
            process: self.process.clone(),
            media_type: self.url.media_type.clone(),
            byte_size: self.byte_size.map(Count::get),
            checksum: self.checksum.clone(),
            kind: self.document_kind.map(|concept| concept.0),
            file: None,
        })
    }
}
