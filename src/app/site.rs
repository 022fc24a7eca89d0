use crate::config::Config;
use crate::web::Site;
use crate::web::language::Language;
use crate::web::site::{Legal, PlatformFacts, SourceCode};

use super::zone;

/// What the pages need to know of the configuration.
pub(super) fn site(config: &Config) -> anyhow::Result<Site> {
    let stated = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let language = config.site.languages.iter().find_map(|tag| tag.as_str().parse().ok()).unwrap_or(Language::French);
    let legal = &config.site.legal;
    let platforms =
        config.platform.iter().map(|platform| PlatformFacts { name: platform.name.clone(), url: platform.url.clone() });
    Ok(Site {
        platforms: platforms.collect(),
        legal: Legal {
            publisher: stated(&legal.publisher),
            director: stated(&legal.director),
            telephone: stated(&legal.telephone),
            contact: stated(&legal.contact),
            host: stated(&legal.host),
            ..Legal::default()
        },
        source: SourceCode { repository: config.site.source_url.clone(), ..SourceCode::default() },
        ..Site::new(language, zone(config)?)
    })
}
