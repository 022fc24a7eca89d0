//! Every key of the file against the list of settings: unknown keys fail, retired ones warn.

use std::path::Path;

use toml_edit::{Document, Item};

use super::error::{ConfigError, Place};

/// Every section with its keys. `*` marks a section whose keys are the user's own (languages).
const SETTINGS: &[(&str, &[&str])] = &[
    ("authority", &["name", "identifiers", "handle", "kind", "zone", "rights_contact"]),
    ("authority.name", &["*"]),
    ("server", &["public_url", "listen", "trusted_proxies", "max_connections", "connections_per_address"]),
    ("inbox", &["activities_per_hour"]),
    ("database", &["url"]),
    ("secrets", &["kek_file"]),
    ("platform", &["name", "kind", "url", "profile", "every", "requests_per_second", "publish", "licence"]),
    ("delivery", &["park_after", "concurrency"]),
    ("outbound", &["allow_private"]),
    ("retention", &[]),
    ("backup", &["keep"]),
    ("site", &["languages", "source_url", "audit", "legal"]),
    ("site.audit", &["result", "day", "report"]),
    ("site.legal", &["publisher", "director", "address", "telephone", "host", "contact", "security_contact"]),
];

/// Settings of later capabilities: known by name, so that a file written for them still starts, with a
/// warning that says they do nothing yet.
const NOT_YET: &[&str] =
    &["server.admin_listen", "server.metrics_listen", "retention.tombstones", "backup.dir", "backup.max_age"];

/// Keys of earlier versions and the setting that took their place.
const RETIRED: &[(&str, &str)] = &[
    ("http.port", "server.listen"),
    ("http.public_url", "server.public_url"),
    ("site.accessibility_audit", "site.audit.result"),
];

/// Whether `section.key` is a setting, of today or known by name: for the test of what errors advise.
#[cfg(test)]
pub(crate) fn is_setting(full: &str) -> bool {
    let (section, key) = full.rsplit_once('.').unwrap_or(("", full));
    SETTINGS.iter().any(|(name, keys)| (*name == section && keys.contains(&key)) || *name == full)
}

/// Parses the file and checks its keys; returns its table and warnings.
pub(super) fn document(path: &Path, text: &str) -> Result<(toml::Table, Vec<String>), ConfigError> {
    let document = Document::parse(text.to_owned()).map_err(|error| {
        let place = error.span().map(|span| Place::of(path, text, span.start, span.len().max(1), ""));
        ConfigError::new("config.syntax", error.message().to_owned()).at(place).help("correct it; nothing was started")
    })?;
    let mut warnings = Vec::new();
    let mut dropped = Vec::new();
    for (section, item) in document.as_table() {
        walk(path, text, &document, &[section], item, &mut warnings, &mut dropped)?;
    }
    let mut table: toml::Table = toml::from_str(text).map_err(|error| ConfigError::of_value(path, text, &error))?;
    for key in dropped {
        remove(&mut table, &key);
    }
    Ok((table, warnings))
}

fn walk(
    path: &Path,
    text: &str,
    document: &Document<String>,
    names: &[&str],
    item: &Item,
    warnings: &mut Vec<String>,
    dropped: &mut Vec<String>,
) -> Result<(), ConfigError> {
    let full = names.join(".");
    if let Some((_, successor)) = RETIRED.iter().find(|(old, _)| *old == full) {
        warnings.push(format!("`{full}` is retired and ignored; it is now `{successor}`"));
        dropped.push(full);
        return Ok(());
    }
    if NOT_YET.contains(&full.as_str()) {
        warnings.push(format!("`{full}` has no effect in this version"));
        dropped.push(full);
        return Ok(());
    }
    let (section, key) = full.rsplit_once('.').unwrap_or(("", &full));
    let section_names: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).filter(|name| !name.contains('.')).collect();
    let is_section = SETTINGS.iter().any(|(name, _)| *name == full);
    let retired_section = !is_section && RETIRED.iter().any(|(old, _)| old.starts_with(&format!("{full}.")));
    let known: &[&str] = if section.is_empty() {
        &section_names
    } else {
        SETTINGS.iter().find(|(name, _)| *name == section).map_or(&[], |(_, keys)| keys)
    };
    if !retired_section && !known.contains(&key) && known != ["*"] {
        return Err(unknown(path, text, document, &full, key, known));
    }
    if let (true, Some(table)) = (is_section || retired_section, item.as_table_like()) {
        for (key, item) in table.iter() {
            walk(path, text, document, &[names, &[key]].concat(), item, warnings, dropped)?;
        }
        if retired_section {
            dropped.push(full);
        }
    } else if let Some(tables) = item.as_array_of_tables() {
        for table in tables {
            for (key, item) in table {
                walk(path, text, document, &[names, &[key]].concat(), item, warnings, dropped)?;
            }
        }
    }
    Ok(())
}

fn unknown(path: &Path, text: &str, document: &Document<String>, full: &str, key: &str, known: &[&str]) -> ConfigError {
    let nearest = nearest(key, known);
    let note = nearest.map_or_else(String::new, |word| format!("nearest: `{word}`"));
    let place = key_span(document, full, "").map(|span| Place::of(path, text, span.start, span.len(), &note));
    ConfigError::new("config.unknown-key", format!("`{full}` is not a setting"))
        .at(place)
        .help("rename or remove it; nothing was started. All settings: passerelle help config")
}

/// The known word that is most like `word`.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known.iter().copied().max_by(|a, b| strsim::jaro_winkler(word, a).total_cmp(&strsim::jaro_winkler(word, b)))
}

/// Where a setting stands; of several that are named alike, the first that has this value.
fn key_span(document: &Document<String>, full: &str, value: &str) -> Option<std::ops::Range<usize>> {
    let (sections, key) = full.rsplit_once('.').unwrap_or(("", full));
    let mut tables: Vec<&dyn toml_edit::TableLike> = vec![document.as_table()];
    for name in sections.split('.').filter(|name| !name.is_empty()) {
        let items = tables.iter().filter_map(|table| table.get(name));
        tables = items
            .flat_map(|item| match item {
                // The key may stand in any of several [[platform]]s.
                Item::ArrayOfTables(array) => array.iter().map(|table| table as &dyn toml_edit::TableLike).collect::<Vec<_>>(),
                item => item.as_table_like().into_iter().collect(),
            })
            .collect();
    }
    let mut found = tables.iter().filter_map(|table| table.get_key_value(key));
    let (key, _) = found.find(|(_, item)| item.as_str().is_none_or(|text| text.contains(value)))?;
    key.span()
}

/// Where a setting has this value, for errors about it.
pub(super) fn place_of_value(path: &Path, text: &str, full: &str, value: &str) -> Option<Place> {
    let span = key_span(&Document::parse(text.to_owned()).ok()?, full, value)?;
    Some(Place::of(path, text, span.start, span.len(), ""))
}

fn remove(table: &mut toml::Table, full: &str) {
    match full.split_once('.') {
        Some((section, rest)) => {
            if let Some(toml::Value::Table(inner)) = table.get_mut(section) {
                remove(inner, rest);
            }
        }
        None => {
            table.remove(full);
        }
    }
}

/// Puts an environment variable's value over the file's.
pub(super) fn override_key(
    path: &Path,
    table: &mut toml::Table,
    section: &str,
    key: &str,
    value: &str,
) -> Result<(), ConfigError> {
    let known = SETTINGS.iter().find(|(name, _)| *name == section).map_or(&[][..], |(_, keys)| keys);
    if section == "platform" || !known.contains(&key) {
        let variable = super::error::variable(section, key);
        return Err(ConfigError::new(
            "config.unknown-variable",
            format!("`{variable}` names no setting (file {})", path.display()),
        )
        .help("unset it. All settings: passerelle help config"));
    }
    let entry = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    let parsed = format!("v = {value}").parse::<toml::Table>().ok().and_then(|mut parsed| parsed.remove("v"));
    if let toml::Value::Table(inner) = entry {
        inner.insert(key.to_owned(), parsed.unwrap_or_else(|| toml::Value::String(value.to_owned())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::SETTINGS;

    /// `[section]` lines, and the names at the beginning of the lines below.
    fn explained(text: &str) -> BTreeSet<String> {
        let mut section = "";
        let mut keys = BTreeSet::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_start_matches('[').trim_end_matches(']');
            } else if !section.is_empty() && line.starts_with(|c: char| c.is_ascii_lowercase()) {
                let names = line.split("  ").next().unwrap_or_default();
                let names = if names.contains(", ") { names } else { names.split(' ').next().unwrap_or_default() };
                keys.extend(names.split(", ").map(|name| format!("{section}.{name}")));
            }
        }
        keys
    }

    #[test]
    fn help_config_explains_every_setting_and_no_other() {
        let text =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/help/config.txt")).expect("the help text");
        // A section of its own below is no value.
        let is_section = |full: &str| SETTINGS.iter().any(|(section, keys)| *section == full && *keys != ["*"]);
        let known = SETTINGS.iter().flat_map(|(section, keys)| keys.iter().map(move |key| format!("{section}.{key}")));
        let known: BTreeSet<String> = known.filter(|full| !full.ends_with(".*") && !is_section(full)).collect();
        assert_eq!(explained(&text), known);
    }
}
