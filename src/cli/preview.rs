use std::collections::BTreeSet;
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
            let state = if platform.publish {
                "With publish = true this is public after the next reading."
            } else {
                "Nothing is public yet (publish = false)."
            };
            format!(
                "{}\n{}\n{}\n{state}\nNext: passerelle platform sync {}",
                preview.summary_text(&at),
                preview.fields_text(),
                preview.samples_text(),
                platform.name
            )
        },
        || preview.to_json(),
    );
    Ok(if preview.needs_a_person() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
