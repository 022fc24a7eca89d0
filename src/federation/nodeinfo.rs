//! NodeInfo 2.1 (FEP-f1d5, FEP-0151): what software runs here, and where its source code is.
//! Figures that we would have to invent are left out.

use serde::{Deserialize, Serialize};
use url::Url;

/// The schema that the document follows, and the `rel` of its link.
pub const SCHEMA: &str = "http://nodeinfo.diaspora.software/ns/schema/2.1";
/// The media type of the document.
pub const NODEINFO_TYPE: &str = "application/json; profile=\"http://nodeinfo.diaspora.software/ns/schema/2.1#\"";

/// What runs here: name and version of the package, and the commit it was built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build<'a> {
    /// The version of the package.
    pub version: &'a str,
    /// The commit, when it is known.
    pub commit: Option<&'a str>,
    /// Where the source code of exactly this commit is (AGPL §13).
    pub repository: &'a Url,
}

/// The document behind `/.well-known/nodeinfo`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Links {
    /// Where which schema is.
    pub links: Vec<SchemaLink>,
}

/// One link of [`Links`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SchemaLink {
    /// The schema.
    pub rel: String,
    /// The document.
    pub href: String,
}

/// The document behind `/nodeinfo/2.1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeInfo {
    /// Always `2.1`.
    pub version: String,
    /// What runs here.
    pub software: Software,
    /// Always `activitypub`.
    pub protocols: Vec<String>,
    /// Other services: none.
    pub services: Services,
    /// Nobody registers at a gateway.
    pub open_registrations: bool,
    /// Figures: none.
    pub usage: Usage,
    /// What else is said.
    pub metadata: Metadata,
}

/// The software and its source code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Software {
    /// Always `passerelle`.
    pub name: String,
    /// Version and commit, `0.1.0+abc1234`.
    pub version: String,
    /// The source code of this commit.
    pub repository: String,
}

/// Services that are bridged: none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Services {
    /// Read from.
    pub inbound: Vec<String>,
    /// Written to.
    pub outbound: Vec<String>,
}

/// Figures of use; the schema wants `users`, which may be empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Nothing is counted.
    pub users: Users,
}

/// Nothing is counted: citizens are no users here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {}

/// What the schema leaves open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The authority that runs the gateway.
    pub node_name: String,
    /// The commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// The links of the gateway under `public_url`.
#[must_use]
pub fn links(public_url: &Url) -> Links {
    let href = public_url.join("/nodeinfo/2.1").map_or_else(|_| String::new(), String::from);
    Links { links: vec![SchemaLink { rel: SCHEMA.to_owned(), href }] }
}

/// The document of a gateway that `authority_name` runs.
#[must_use]
pub fn document(build: &Build<'_>, authority_name: &str) -> NodeInfo {
    let short = build.commit.map(|commit| commit.chars().take(12).collect::<String>());
    NodeInfo {
        version: "2.1".to_owned(),
        software: Software {
            name: "passerelle".to_owned(),
            version: short.map_or_else(|| build.version.to_owned(), |commit| format!("{}+{commit}", build.version)),
            repository: build.repository.to_string(),
        },
        protocols: vec!["activitypub".to_owned()],
        services: Services::default(),
        open_registrations: false,
        usage: Usage::default(),
        metadata: Metadata { node_name: authority_name.to_owned(), commit: build.commit.map(ToOwned::to_owned) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_document_says_which_commit_runs_and_counts_nobody() {
        let repository: Url = "https://montfleur.example/source".parse().expect("an address");
        let build = Build { version: "0.1.0", commit: Some("0123456789abcdef"), repository: &repository };
        assert_eq!(
            serde_json::to_value(document(&build, "Ville de Montfleur")).expect("JSON"),
            json!({
                "version": "2.1",
                "software": { "name": "passerelle", "version": "0.1.0+0123456789ab", "repository": "https://montfleur.example/source" },
                "protocols": ["activitypub"], "services": { "inbound": [], "outbound": [] }, "openRegistrations": false,
                "usage": { "users": {} }, "metadata": { "nodeName": "Ville de Montfleur", "commit": "0123456789abcdef" }
            })
        );
    }
}
