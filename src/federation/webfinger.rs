//! WebFinger (RFC 7033): from `acct:lyon@participer.lyon.example` to the actor.

use activitypub_federation::fetch::webfinger::{Webfinger, WebfingerLink};
use std::collections::HashMap;

use url::Url;

use crate::domain::authority::PublicAuthority;
use crate::domain::{ActorId, PartnerDomain};

/// The media type of an answer; it goes with `Access-Control-Allow-Origin: *`.
pub const JRD_TYPE: &str = "application/jrd+json";
/// Longest `resource` that is looked at, in bytes.
const MAX_RESOURCE: usize = 2048;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoResource {
    /// 400: the parameter is missing, empty, too long or no URI.
    #[error("ask with ?resource=acct:name@host")]
    Malformed,
    /// 404: it is nobody here.
    #[error("nobody of that name is here")]
    Unknown,
}

/// Answers for `resource`, percent-decoded, as it stood in the query.
///
/// Known are `acct:HANDLE@HOST`, `acct:HOST@HOST` (the gateway itself), the actor's address and the
/// gateway's own address (FEP-d556).
///
/// # Errors
/// [`NoResource`].
pub fn find(resource: Option<&str>, authority: &PublicAuthority, public_url: &Url) -> Result<Webfinger, NoResource> {
    let resource = resource.filter(|text| !text.is_empty() && text.len() <= MAX_RESOURCE).ok_or(NoResource::Malformed)?;
    let domain = PartnerDomain::of(public_url);
    let known = match resource.split_once(':').ok_or(NoResource::Malformed)? {
        (scheme, account) if scheme.eq_ignore_ascii_case("acct") => {
            let account = account.strip_prefix('@').unwrap_or(account);
            let (name, host) = account.rsplit_once('@').ok_or(NoResource::Malformed)?;
            let host: PartnerDomain = host.parse().map_err(|_| NoResource::Malformed)?;
            host == domain && (name.eq_ignore_ascii_case(&authority.handle) || name.eq_ignore_ascii_case(domain.as_str()))
        }
        ("http" | "https", _) => {
            let url: Url = resource.parse().map_err(|_| NoResource::Malformed)?;
            url == *authority.id.url() || url.path() == "/" && url.origin() == public_url.origin()
        }
        _ => false,
    };
    if known { Ok(answer(&authority.id, &authority.handle, &domain, public_url)) } else { Err(NoResource::Unknown) }
}

fn answer(actor: &ActorId, handle: &str, domain: &PartnerDomain, public_url: &Url) -> Webfinger {
    let link = |rel: &str, kind: &str, href: &Url| WebfingerLink {
        rel: Some(rel.to_owned()),
        kind: Some(kind.to_owned()),
        href: Some(href.clone()),
        template: None,
        properties: HashMap::new(),
    };
    Webfinger {
        subject: format!("acct:{handle}@{domain}"),
        links: vec![
            link("self", "application/activity+json", actor.url()),
            link("http://webfinger.net/rel/profile-page", "text/html", public_url),
        ],
        aliases: vec![actor.url().clone()],
        properties: HashMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::authority::AuthorityKind;
    use crate::domain::text::{LanguageTag, Localized, PlainText};

    fn ask(resource: Option<&str>) -> Result<String, NoResource> {
        let public_url: Url = "https://montfleur.example/".parse().expect("an address");
        let authority = PublicAuthority {
            id: ActorId::of_gateway(&public_url).expect("an address"),
            name: Localized::one(LanguageTag::french(), PlainText::new("Ville de Montfleur").expect("a name")),
            handle: "montfleur".to_owned(),
            kind: AuthorityKind::Municipality,
            identifiers: Vec::new(),
            territory: None,
            rights_contact: public_url.clone(),
        };
        find(resource, &authority, &public_url).map(|jrd| jrd.subject)
    }

    #[test]
    fn the_authority_is_found_under_each_of_its_names() {
        for resource in [
            "acct:montfleur@montfleur.example",
            "ACCT:Montfleur@MONTFLEUR.example",
            "acct:@montfleur@montfleur.example",
            "acct:montfleur@montfleur.example:443",
            "acct:montfleur.example@montfleur.example",
            "https://montfleur.example/actor",
            "https://montfleur.example",
            "https://montfleur.example/",
        ] {
            assert_eq!(ask(Some(resource)).as_deref(), Ok("acct:montfleur@montfleur.example"), "{resource}");
        }
    }

    #[test]
    fn others_are_not_here_and_nonsense_is_no_question() {
        for resource in [
            "acct:x@montfleur.example",
            "acct:montfleur@other.example",
            "https://montfleur.example/contributions/1",
            "mailto:a@b",
        ] {
            assert_eq!(ask(Some(resource)), Err(NoResource::Unknown), "{resource}");
        }
        let long = format!("acct:{}@montfleur.example", "x".repeat(3000));
        for resource in [None, Some(""), Some("montfleur"), Some("acct:montfleur"), Some("acct:a@b/c"), Some(long.as_str())] {
            assert_eq!(ask(resource), Err(NoResource::Malformed), "{resource:?}");
        }
    }
}
