use crate::config::{AuditResult, Config};
use crate::web::Site;
use crate::web::language::Language;
use crate::web::site::{Audit, Conformity, Legal, PlatformFacts, SourceCode};

use super::zone;

/// What the pages need to know of the configuration.
pub(super) fn site(config: &Config) -> anyhow::Result<Site> {
    let stated = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let legal = &config.site.legal;
    let platforms =
        config.platform.iter().map(|platform| PlatformFacts { name: platform.name.clone(), url: platform.url.clone() });
    let audit = config.site.audit.as_ref().map(|audit| Audit {
        result: match audit.result {
            AuditResult::Full => Conformity::Full,
            AuditResult::Partial => Conformity::Partial,
            AuditResult::None => Conformity::None,
        },
        day: audit.day,
        report: audit.report.clone(),
    });
    Ok(Site {
        languages: languages(config)?,
        zone: zone(config)?,
        platforms: platforms.collect(),
        audit,
        legal: Legal {
            publisher: stated(&legal.publisher),
            director: stated(&legal.director),
            address: stated(&legal.address),
            telephone: stated(&legal.telephone),
            contact: stated(&legal.contact),
            host: stated(&legal.host),
            security_contact: stated(&legal.security_contact),
        },
        source: SourceCode { repository: config.site.source_url.clone(), ..SourceCode::default() },
    })
}

/// The languages of the pages, as the city lists them.
fn languages(config: &Config) -> anyhow::Result<Vec<Language>> {
    let wrong = |message: &str| {
        let help = "write languages = [\"fr\", \"en\"], or one of them; the first is the default";
        config.wrong("config.languages", "site.languages", "", message, help)
    };
    let mut languages: Vec<Language> = Vec::new();
    for tag in &config.site.languages {
        let language = tag.as_str().parse::<Language>().map_err(|error| wrong(&format!("`site.languages`: {error}")))?;
        if !languages.contains(&language) {
            languages.push(language);
        }
    }
    if languages.is_empty() {
        return Err(wrong("`site.languages` names no language").into());
    }
    Ok(languages)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(site: &str) -> Config {
        let text = format!(
            "[authority]\nname = {{ fr = \"Ville de Lyon\" }}\nidentifiers = [\"siren:216901231\"]\n\
             [server]\npublic_url = \"https://passerelle.lyon.example\"\n[database]\nurl = \"sqlite:///tmp/p.db\"\n{site}"
        );
        Config::parse(Path::new("passerelle.toml"), &text, []).expect("it is right")
    }

    #[test]
    fn every_line_of_the_legal_notice_can_be_filled_in() {
        let names = ["publisher", "director", "address", "telephone", "contact", "host", "security_contact"];
        let lines: Vec<String> = names.iter().map(|name| format!("{name} = \"the {name}\"")).collect();
        let site = site(&config(&format!("[site.legal]\n{}\n", lines.join("\n")))).expect("a site");
        // Taken apart, so that a new line cannot be forgotten here.
        let Legal { publisher, director, address, telephone, contact, host, security_contact } = site.legal;
        for (name, shown) in names.iter().zip([publisher, director, address, telephone, contact, host, security_contact]) {
            assert_eq!(shown, Some(format!("the {name}")));
        }
    }

    #[test]
    fn the_pages_speak_the_languages_that_the_city_lists() {
        let spoken = |line: &str| site(&config(&format!("[site]\n{line}\n"))).map(|site| site.languages);
        assert_eq!(spoken("").expect("the default"), Language::ALL);
        assert_eq!(spoken("languages = [\"en\", \"fr-FR\", \"fr\"]").expect("two"), [Language::English, Language::French]);
        assert_eq!(spoken("languages = [\"fr\"]").expect("one"), [Language::French]);
        for line in ["languages = []", "languages = [\"fr\", \"br\"]"] {
            let refused = spoken(line).expect_err("it was taken").to_string();
            assert!(refused.contains("config.languages") && refused.contains("passerelle.toml:9:1"), "{refused}");
        }
    }

    #[test]
    fn ui_03_an_audit_counts_for_three_years() {
        let audited = |result: &str| {
            let text = format!("[site.audit]\nresult = \"{result}\"\nday = \"2026-05-12\"\n");
            site(&config(&text)).expect("a site")
        };
        let at = |text: &str| text.parse().expect("a time");
        for (result, mention) in [("full", Conformity::Full), ("partial", Conformity::Partial), ("none", Conformity::None)] {
            assert_eq!(audited(result).conformity(at("2029-05-11T12:00:00Z")), mention);
            assert_eq!(audited(result).conformity(at("2029-05-12T12:00:00Z")), Conformity::None);
        }
        assert_eq!(site(&config("")).expect("a site").conformity(at("2026-06-01T12:00:00Z")), Conformity::None);
    }
}
