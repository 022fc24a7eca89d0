//! SEC-001 … SEC-019, SEC-039, SEC-040, SEC-043 … SEC-045: the HTTP layer, digests, coverage
//! (security.md §2.1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use passerelle::domain::digest::sha256;
use passerelle::federation::refusal::Code;
use serde_json::json;

use super::rig::{Rig, text};
use crate::store_tests;
use crate::support::peer::{Cavage, Knock, Rfc9421};
use crate::support::stores::Databases;

/// A Create of B, unsigned.
fn unsigned(rig: &Rig) -> Knock {
    Knock::post(rig.create().to_string().into_bytes(), rig.now())
}

/// A Create of B, signed by B's RSA key over these headers.
fn over(rig: &Rig, headers: &str) -> Knock {
    let mut knock = unsigned(rig);
    knock.cavage(&rig.b, &Cavage::over(&rig.b, headers));
    knock
}

store_tests! {
    async fn sec_001_an_unsigned_request_is_refused(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.refuses(&unsigned(&rig), 401, &[Code::Unsigned]).await?;
    }

    async fn sec_002_a_signed_create_is_accepted_kept_and_done_once(databases: Databases) {
        for cavage in [false, true] {
            let rig = Rig::new(&databases).await?;
            let create = rig.create();
            let knock = if cavage { rig.b.post_cavage(&create, rig.now()) } else { rig.b.post(&create, rig.now()) };
            rig.accepts(&knock).await?;
            assert_eq!((rig.rows("journal").await?, rig.rows("copy").await?), (1, 1));
            let copy = rig.copy(&rig.contribution().id).await?.expect("a copy");
            assert_eq!(copy.record, Some(rig.contribution()));
            assert_eq!(rig.network.connections(), 0);
        }
    }

    async fn sec_003_a_body_that_was_exchanged_is_refused(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        for mut knock in [rig.b.post(&rig.create(), rig.now()), rig.b.post_cavage(&rig.create(), rig.now())] {
            let mut other = rig.create();
            other["object"]["content"] = json!("<p>forged</p>");
            knock.body = other.to_string().into_bytes();
            rig.refuses(&knock, 401, &[Code::DigestMismatch]).await?;
        }
    }

    async fn sec_004_two_digest_headers_are_refused_in_either_order(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut forged = rig.create();
        forged["object"]["content"] = json!("<p>forged</p>");
        let forged = forged.to_string().into_bytes();
        let of_forged = format!("SHA-256={}", STANDARD.encode(sha256(&forged)));
        let signed = rig.b.post_cavage(&rig.create(), rig.now());
        let mut second = signed.clone();
        second.body.clone_from(&forged);
        second.add("digest", &of_forged);
        rig.refuses(&second, 400, &[Code::DuplicateHeader]).await?;
        let mut first = signed;
        first.body = forged;
        first.headers.insert(0, ("digest".to_owned(), of_forged));
        rig.refuses(&first, 400, &[Code::DuplicateHeader]).await?;
    }

    async fn sec_005_no_security_header_is_repeated(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let names = [
            "host", "date", "signature", "signature-input", "content-digest", "content-type", "content-length", "transfer-encoding",
        ];
        for name in names {
            let mut knock = rig.b.post(&rig.create(), rig.now());
            let value = knock.header(name).unwrap_or("chunked").to_owned();
            knock.set(name, &value);
            knock.add(name, &value);
            rig.refuses(&knock, 400, &[Code::DuplicateHeader]).await?;
        }
    }

    async fn sec_006_two_different_digests_are_refused_whichever_is_signed(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let wrong = STANDARD.encode(sha256(b"another body"));
        let mut knock = rig.b.post_cavage(&rig.create(), rig.now());
        knock.set("content-digest", &format!("sha-256=:{wrong}:"));
        rig.refuses(&knock, 401, &[Code::DigestMismatch]).await?;
        let mut knock = rig.b.post(&rig.create(), rig.now());
        knock.set("digest", &format!("SHA-256={wrong}"));
        rig.refuses(&knock, 401, &[Code::DigestMismatch]).await?;
    }

    async fn sec_007_a_request_without_digest_is_refused(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut knock = unsigned(&rig);
        knock.drop("digest");
        knock.cavage(&rig.b, &Cavage::over(&rig.b, "(request-target) host date content-type"));
        rig.refuses(&knock, 401, &[Code::DigestMissing]).await?;
        let mut knock = unsigned(&rig);
        knock.rfc9421(&rig.b, &Rfc9421::over(&["@method", "@target-uri", "date"], &Rfc9421::named(&rig.b, rig.now())));
        knock.drop("content-digest");
        rig.refuses(&knock, 401, &[Code::DigestMissing]).await?;
    }

    async fn sec_008_a_digest_that_is_not_signed_is_refused(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.refuses(&over(&rig, "(request-target) host date content-type"), 401, &[Code::DigestUnsigned]).await?;
        let mut knock = unsigned(&rig);
        knock.rfc9421(&rig.b, &Rfc9421::over(&["@method", "@target-uri", "date"], &Rfc9421::named(&rig.b, rig.now())));
        rig.refuses(&knock, 401, &[Code::DigestUnsigned]).await?;
    }

    async fn sec_009_weak_or_nameless_digests_are_refused(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let value = STANDARD.encode(sha256(rig.create().to_string().as_bytes()));
        for digest in [format!("MD5={value}"), format!("SHA-1={value}"), "UNIXSUM=1".to_owned(), format!("={value}")] {
            let mut knock = unsigned(&rig);
            knock.set("digest", &digest);
            knock.cavage(&rig.b, &Cavage::usual(&rig.b));
            rig.refuses(&knock, 401, &[Code::DigestUnsupported]).await?;
        }
    }

    async fn sec_010_spellings_and_further_algorithms_are_accepted(databases: Databases) {
        let body = Rig::new(&databases).await?.create().to_string();
        let sha512 = STANDARD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, body.as_bytes()));
        let sha256 = STANDARD.encode(sha256(body.as_bytes()));
        for digest in [format!("sha-256={sha256}"), format!("SHA-512={sha512},SHA-256={sha256}")] {
            let rig = Rig::new(&databases).await?;
            let mut knock = unsigned(&rig);
            knock.set("digest", &digest);
            knock.cavage(&rig.b, &Cavage::usual(&rig.b));
            rig.accepts(&knock).await?;
            assert_eq!(rig.rows("copy").await?, 1);
        }
    }

    async fn sec_011_a_signature_over_the_digest_alone_is_weak(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.refuses(&over(&rig, "digest"), 401, &[Code::WeakSignature]).await?;
    }

    async fn sec_012_the_request_target_must_be_signed(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.refuses(&over(&rig, "host date digest"), 401, &[Code::WeakSignature]).await?;
        for components in [
            &["@method", "content-digest", "date"][..],
            &["@target-uri", "content-digest", "date"],
            &["@method", "@path", "content-digest"],
            &["@method", "@authority", "content-digest"],
        ] {
            let mut knock = unsigned(&rig);
            knock.rfc9421(&rig.b, &Rfc9421::over(components, &Rfc9421::named(&rig.b, rig.now())));
            rig.refuses(&knock, 401, &[Code::WeakSignature]).await?;
        }
        let mut knock = unsigned(&rig);
        let enough = ["@method", "@authority", "@path", "content-digest"];
        knock.rfc9421(&rig.b, &Rfc9421::over(&enough, &Rfc9421::named(&rig.b, rig.now())));
        rig.accepts(&knock).await?;
    }

    async fn sec_013_the_host_must_be_signed(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.refuses(&over(&rig, "(request-target) date digest"), 401, &[Code::WeakSignature]).await?;
    }

    async fn sec_014_a_time_must_be_signed(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.refuses(&over(&rig, "(request-target) host digest"), 401, &[Code::WeakSignature]).await?;
        rig.refuses(&over(&rig, ""), 401, &[Code::WeakSignature]).await?;
        let mut knock = unsigned(&rig);
        let created = Some(rig.now().seconds().to_string());
        knock.cavage(&rig.b, &Cavage { created, algorithm: Some("hs2019".to_owned()), ..Cavage::over(&rig.b, "") });
        rig.refuses(&knock, 401, &[Code::WeakSignature]).await?;
        let mut knock = unsigned(&rig);
        let unnamed = format!(";keyid=\"{}\"", rig.b.keys.ed25519_id());
        knock.rfc9421(&rig.b, &Rfc9421::over(&["@method", "@target-uri", "content-digest", "date"], &unnamed));
        rig.refuses(&knock, 401, &[Code::WeakSignature]).await?;
    }

    async fn sec_015_what_was_sent_to_another_recipient_is_refused(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut knock = unsigned(&rig);
        knock.set("host", "c.example");
        knock.cavage(&rig.b, &Cavage::usual(&rig.b));
        rig.refuses(&knock, 421, &[Code::CrossRecipientReplay]).await?;
    }

    async fn sec_016_a_signature_for_another_path_is_refused(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut knock = unsigned(&rig);
        knock.cavage(&rig.b, &Cavage { target: Some("/actors/x/inbox".to_owned()), ..Cavage::usual(&rig.b) });
        rig.refuses(&knock, 401, &[Code::BadSignature]).await?;
        let mut knock = rig.b.post_cavage(&rig.create(), rig.now());
        knock.target = "/actors/x/inbox".into();
        rig.turns_away(&knock).await?;
    }

    async fn sec_017_other_spellings_of_the_path_are_never_accepted(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        for target in ["/actor/inbox?x=1", "/actor/inbox/", "/actor/%69nbox", "//actor/inbox", "/actor//inbox", "/actor/inbox?"] {
            let mut knock = rig.b.post_cavage(&rig.create(), rig.now());
            knock.target = target.into();
            rig.turns_away(&knock).await?;
            let mut knock = unsigned(&rig);
            knock.target = target.into();
            knock.rfc9421(&rig.b, &Rfc9421::usual(&rig.b, rig.now()));
            rig.turns_away(&knock).await?;
        }
    }

    async fn sec_018_the_signature_of_a_get_does_not_sign_a_post(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut get = Knock::get("/actor/inbox", rig.now());
        get.cavage(&rig.b, &Cavage::over(&rig.b, "(request-target) host date accept"));
        let mut knock = unsigned(&rig);
        for name in ["host", "date", "accept", "signature"] {
            knock.set(name, get.header(name).expect("it is there"));
        }
        rig.refuses(&knock, 401, &[Code::DigestUnsigned]).await?;
        knock.drop("digest");
        rig.refuses(&knock, 401, &[Code::DigestMissing]).await?;
    }

    async fn sec_019_only_our_own_authority_is_answered(databases: Databases) {
        for (host, accepted) in [
            ("a.example", true),
            ("A.EXAMPLE", true),
            ("a.example:443", true),
            ("a.example:8443", false),
            ("a.example.", false),
            ("a.example:80", false),
            ("www.a.example", false),
            ("a%2eexample", false),
            ("x@a.example", false),
        ] {
            let rig = Rig::new(&databases).await?;
            let mut knock = unsigned(&rig);
            knock.set("host", host);
            knock.cavage(&rig.b, &Cavage::usual(&rig.b));
            if accepted {
                rig.accepts(&knock).await?;
            } else {
                rig.refuses(&knock, 421, &[Code::CrossRecipientReplay]).await?;
            }
        }
        // As HTTP/2 hands a request on: its authority stands in the target, without a Host header.
        let rig = Rig::new(&databases).await?;
        let signed = rig.b.post(&rig.create(), rig.now());
        let mut knock = signed.clone();
        knock.target = "https://c.example/actor/inbox".into();
        rig.refuses(&knock, 400, &[Code::MalformedHeader]).await?;
        let mut knock = signed;
        knock.target = "https://a.example/actor/inbox".into();
        knock.drop("host");
        rig.accepts(&knock).await?;
    }

    async fn sec_039_a_signature_in_authorization_is_refused(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let signed = rig.b.post_cavage(&rig.create(), rig.now());
        let value = format!("Signature {}", signed.header("signature").expect("signed"));
        let mut both = signed.clone();
        both.set("authorization", &value);
        rig.refuses(&both, 400, &[Code::AuthorizationSignature]).await?;
        let mut instead = signed;
        instead.drop("signature");
        instead.set("authorization", &value.replace("Signature ", "signature "));
        rig.refuses(&instead, 400, &[Code::AuthorizationSignature]).await?;
    }

    async fn sec_040_a_signature_header_is_read_in_one_way_or_not_at_all(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let signed = rig.b.post_cavage(&rig.create(), rig.now());
        let value = signed.header("signature").expect("signed").to_owned();
        let many = (0..10_000).map(|n| format!("p{n}=\"x\"")).collect::<Vec<_>>().join(",");
        for wrong in [
            format!("{value},x=\"{}\"", "y".repeat(64 * 1024)),
            format!("{value},{many}"),
            value.trim_end_matches('"').to_owned(),
            value.replace("headers=\"(request-target) host", "headers=\"(request-target), host"),
            format!("{value},keyId=\"{}\"", rig.b.keys.rsa_id()),
            format!("{value},x=\"\\\"\""),
            "keyId".to_owned(),
            String::new(),
        ] {
            let mut knock = signed.clone();
            knock.set("signature", &wrong);
            rig.refuses(&knock, 400, &[Code::MalformedSignature]).await?;
        }
        let mut knock = signed.clone();
        knock.set("signature", &format!("{value},x=\"é\""));
        rig.refuses(&knock, 400, &[Code::MalformedHeader]).await?;
        let mut knock = signed;
        knock.set("signature", &value.replace(",algorithm=\"rsa-sha256\",headers=\"", " , algorithm = \"rsa-sha256\" , headers = \""));
        rig.accepts(&knock).await?;
    }

    async fn sec_043_the_raw_bytes_are_what_is_signed_and_kept(databases: Databases) {
        for write in [
            |text: String| text.replace("\":", "\" :  \t") + "\n",
            |text: String| text.replace("https://b.example/", "https:\\/\\/b.example\\/"),
            |text: String| text.replace('é', "\\u00e9").replace("Un texte", "\\u0055n texte"),
        ] {
            let rig = Rig::new(&databases).await?;
            let body = write(rig.create().to_string());
            let mut knock = Knock::post(body.clone().into_bytes(), rig.now());
            knock.rfc9421(&rig.b, &Rfc9421::usual(&rig.b, rig.now()));
            let answer = rig.knock(&knock).await;
            assert_eq!(answer.status, 202, "{}", text(&answer.body));
            let row = rig.journal(&rig.create()).await?.expect("a row");
            assert_eq!(row.body.as_deref(), Some(body.as_str()));
            rig.work().await?;
            assert_eq!(rig.rows("copy").await?, 1);
        }
    }

    async fn sec_044_a_request_from_early_data_is_sent_back(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut knock = rig.b.post(&rig.create(), rig.now());
        knock.set("early-data", "1");
        rig.refuses(&knock, 425, &[Code::EarlyData]).await?;
    }

    async fn sec_045_only_activitypub_is_taken(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", ""] {
            let mut knock = unsigned(&rig);
            knock.set("content-type", media_type);
            knock.cavage(&rig.b, &Cavage::usual(&rig.b));
            rig.refuses(&knock, 415, &[Code::UnsupportedMediaType]).await?;
        }
        let mut knock = rig.b.post(&rig.create(), rig.now());
        knock.drop("content-type");
        rig.refuses(&knock, 415, &[Code::UnsupportedMediaType]).await?;
        let mut knock = rig.b.post(&rig.create(), rig.now());
        knock.set("content-encoding", "gzip");
        rig.refuses(&knock, 415, &[Code::UnsupportedMediaType]).await?;
        for media_type in [
            "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"",
            "application/activity+json; charset=utf-8",
        ] {
            let rig = Rig::new(&databases).await?;
            let mut knock = unsigned(&rig);
            knock.set("content-type", media_type);
            knock.cavage(&rig.b, &Cavage::usual(&rig.b));
            rig.accepts(&knock).await?;
        }
    }
}
