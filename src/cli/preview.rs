use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;

use super::{Common, Trouble};
use crate::app::{self, Gateway};
use crate::config::{Config, Platform};
use crate::connectors::{Connector, Probe};
use crate::mapping::{Profile, SourceSchema};
use crate::sync::Progress;

/// `platform probe`: what the installation is and can do, and which fields the kept schema does not know.
pub(super) async fn probe(
    common: &Common,
    config: &Config,
    platform: &Platform,
    connector: &Arc<dyn Connector>,
) -> Result<ExitCode, Trouble> {
    let profile = app::profile(config, platform)?;
    let probe = connector.probe().await.map_err(anyhow::Error::from)?;
    let fields = Fields::compare(&profile, &probe);
    common.output().data(
        || probe_text(platform, &probe, &fields),
        || {
            json!({
                "schema": "passerelle.probe/1",
                "platform": platform.name,
                "probe": probe,
                "generation": fields.generation,
                "newFields": fields.new,
                "vanishedFields": fields.vanished,
            })
        },
    );
    Ok(if fields.new.is_empty() && fields.vanished.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Fields of the live platform against the schema kept beside the profile.
struct Fields {
    generation: Option<String>,
    new: BTreeSet<String>,
    vanished: BTreeSet<String>,
}

impl Fields {
    fn compare(profile: &Profile, probe: &Probe) -> Self {
        let generation = profile.generation(&probe.capabilities).map(str::to_owned);
        let kept = generation.as_deref().and_then(|name| SourceSchema::built_in(profile.system(), name));
        let (new, vanished) = match (kept, &probe.types) {
            (Some(kept), Some(live)) => kept.compare(&kept.clone().with_fields(live)),
            _ => (Vec::new(), Vec::new()),
        };
        Self { generation, new: new.into_iter().collect(), vanished: vanished.into_iter().collect() }
    }
}

fn probe_text(platform: &Platform, probe: &Probe, fields: &Fields) -> String {
    let list = |names: &BTreeSet<String>| {
        if names.is_empty() { "none".to_owned() } else { names.iter().cloned().collect::<Vec<_>>().join(", ") }
    };
    let mut lines = vec![
        format!("{} at {}", probe.system, platform.url),
        format!("Version     {}", probe.version.as_deref().unwrap_or("not told")),
        format!("Generation  {}", fields.generation.as_deref().unwrap_or("unknown: no kept schema fits what it can do")),
        format!("Languages   {}", probe.languages.join(", ")),
        format!("Can         {}", list(&probe.capabilities)),
        format!("Lacks       {}", list(&probe.lacking)),
        format!(
            "Fields      {}",
            if probe.types.is_some() {
                "compared with live introspection"
            } else {
                "introspection is closed; the kept schema stands"
            }
        ),
        format!("New         {}", list(&fields.new)),
        format!("Vanished    {}", list(&fields.vanished)),
    ];
    lines.extend(probe.notes.iter().map(|note| format!("Note        {note}")));
    lines.push(format!("Next: passerelle platform preview {}", platform.name));
    lines.join("\n")
}

/// What comes after a look: a platform that is not published yet is not read for publication either.
fn next(platform: &Platform, file: &Path) -> String {
    let (name, file) = (&platform.name, file.display());
    if platform.publish {
        return format!("With publish = true this is public after the next reading.\nNext: passerelle platform sync {name}");
    }
    format!(
        "Nothing is public yet (publish = false).\n\
         Next: set publish = true for `{name}` in {file}, then `passerelle platform sync {name}`"
    )
}

/// `platform preview`: everything that would be published, beside where it comes from.
pub(super) async fn preview(common: &Common, gateway: &Gateway, platform: &Platform) -> Result<ExitCode, Trouble> {
    let output = common.output();
    let mut bar = output.progress(platform.name.as_str());
    let sync = gateway.sync(platform)?;
    let read = sync.preview(&mut |now: &Progress| bar.at(now.done, &format!("{}: {}", now.entity, now.doing))).await;
    bar.finish();
    let preview = read.map_err(anyhow::Error::from)?;
    output.data(
        || {
            let at = format!("{}, anonymous, {} request/s", platform.url, platform.requests_per_second);
            let (summary, fields, samples) = (preview.summary_text(&at), preview.fields_text(), preview.samples_text());
            format!("{summary}\n{fields}\n{samples}\n{}", next(platform, &gateway.config.path))
        },
        || preview.to_json(),
    );
    Ok(if preview.needs_a_person() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_step_is_one_that_is_not_refused() {
        let next = |publish| {
            let text =
                format!("name = \"lyon\"\nkind = \"decidim\"\nurl = \"https://participer.lyon.example\"\npublish = {publish}");
            next(&toml::from_str(&text).expect("a platform"), Path::new("passerelle.toml"))
        };
        assert!(next(true).ends_with("Next: passerelle platform sync lyon"), "{}", next(true));
        let text = next(false);
        assert!(
            text.contains("Next: set publish = true") && text.contains("passerelle.toml, then `passerelle platform sync lyon`")
        );
    }
}
