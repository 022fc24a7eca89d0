//! SEC-028 … SEC-038, SEC-041, SEC-042, SEC-046: whose key it is (security.md §2.1).

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use passerelle::domain::partner::{Multikey, PartnerKind};
use passerelle::federation::keys::{Keys, RsaPublicKey};
use passerelle::federation::refusal::Code;
use serde_json::{Value, json};

use super::rig::Rig;
use crate::store_tests;
use crate::support::network::Served;
use crate::support::peer::{Cavage, Knock, Peer, Rfc9421};
use crate::support::stores::Databases;

/// A Create of B, unsigned.
fn unsigned(rig: &Rig) -> Knock {
    Knock::post(rig.create().to_string(), rig.now())
}

/// A Create of B, signed by `peer` with draft-cavage under this key id.
fn named(rig: &Rig, peer: &Peer, key_id: &str) -> Knock {
    let mut knock = unsigned(rig);
    knock.cavage(peer, &Cavage { key_id: key_id.to_owned(), ..Cavage::usual(peer) });
    knock
}

/// A Create of B, signed with a new Ed25519 key under this key id.
fn rotated(rig: &Rig, new: &Keys, key_id: &str) -> Knock {
    let peer = Peer { keys: new.clone(), url: rig.b.url.clone() };
    let mut knock = unsigned(rig);
    let parameters = format!(";created={};keyid=\"{key_id}\"", rig.now().seconds());
    knock.rfc9421(&peer, &Rfc9421::over(&["@method", "@target-uri", "content-digest"], &parameters));
    knock
}

/// B's actor document with one more Ed25519 key.
fn with_key(rig: &Rig, key_id: &str, key: &Multikey, controller: &str) -> Value {
    let mut document = rig.b.actor_document();
    let listed = json!({"id": key_id, "type": "Multikey", "controller": controller, "publicKeyMultibase": key.to_string()});
    document["assertionMethod"].as_array_mut().expect("a list").push(listed);
    document
}

fn new_keys(rig: &Rig) -> Keys {
    Keys::from_seed(rig.b.keys.actor().clone(), &[77; 32]).expect("keys")
}

store_tests! {
    async fn sec_028_the_key_of_one_does_not_speak_for_another(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let m = Peer::at("m.example");
        rig.refuses(&named(&rig, &m, &m.keys.rsa_id()), 401, &[Code::ActorMismatch]).await?;
        rig.list(&m.partner(PartnerKind::Partner)).await?;
        rig.refuses(&named(&rig, &m, &m.keys.rsa_id()), 401, &[Code::ActorMismatch]).await?;
        rig.refuses(&named(&rig, &m, &rig.b.keys.rsa_id()), 401, &[Code::BadSignature]).await?;
    }

    async fn sec_029_a_key_document_elsewhere_does_not_make_a_key_of_b(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let m = Peer::at("m.example");
        let key_id = "https://m.example/keys/of-b";
        let claims = json!({"id": key_id, "owner": rig.b.keys.actor(), "publicKeyPem": m.keys.rsa_pem()});
        rig.network.serve("m.example/keys/of-b", Served::activity(&claims));
        rig.refuses(&named(&rig, &m, key_id), 401, &[Code::ActorMismatch]).await?;
        // Nor does one on B's own host that B's actor does not list.
        rig.network.serve("b.example/keys/of-b", Served::activity(&claims));
        rig.refuses(&named(&rig, &m, "https://b.example/keys/of-b"), 401, &[Code::UnknownKey]).await?;
    }

    async fn sec_030_a_listed_key_that_another_owns_is_refused(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let new = new_keys(&rig);
        let key_id = "https://b.example/actor#key-2";
        let document = with_key(&rig, key_id, new.multikey(), "https://c.example/actor");
        rig.network.serve("b.example/actor", Served::activity(&document));
        let before = rig.state().await?;
        let answer = rig.knock(&rotated(&rig, &new, key_id)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(rig.federation.refusals.of(Code::KeyOwner), 1);
        assert_eq!(rig.state().await?.without_connections(), before.without_connections());
    }

    async fn sec_031_a_key_id_is_an_https_address(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let long = format!("https://b.example/{}", "x".repeat(5000));
        for key_id in
            ["acct:x@b.example", "did:web:b.example", "http://b.example/actor#main-key", "/actor#main-key", "actor", "https://u:p@b.example/actor#main-key", &long]
        {
            rig.refuses(&named(&rig, &rig.b, key_id), 401, &[Code::MalformedKeyId]).await?;
        }
        let huge = format!("https://b.example/{}", "x".repeat(10 * 1024));
        rig.refuses(&named(&rig, &rig.b, &huge), 400, &[Code::MalformedSignature]).await?;
    }

    async fn sec_032_another_actor_of_the_same_host_is_another(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.refuses(&named(&rig, &rig.b, "https://b.example/other#main-key"), 401, &[Code::UnknownKey]).await?;
        let mut activity = rig.create();
        activity["actor"] = json!("https://b.example/other");
        for knock in [rig.b.post(&activity, rig.now()), rig.b.post_cavage(&activity, rig.now())] {
            rig.refuses(&knock, 401, &[Code::ActorMismatch]).await?;
        }
        activity["actor"] = json!(["https://b.example/other"]);
        rig.refuses(&rig.b.post(&activity, rig.now()), 401, &[Code::ActorMismatch]).await?;
    }

    async fn sec_033_a_key_is_not_looked_up_elsewhere_and_a_failure_is_remembered(databases: Databases) {
        let key_id = "https://b.example/actor#key-2";
        for (served, status) in [
            (Served::redirect("https://m.example/actor"), 401),
            (Served::redirect("/elsewhere"), 401),
            (Served::status(404), 401),
            (Served::status(410), 401),
            (Served::status(500), 503),
            (Served::status(429), 503),
        ] {
            let rig = Rig::new(&databases).await?;
            let new = new_keys(&rig);
            let m = with_key(&rig, key_id, new.multikey(), "https://b.example/actor");
            rig.network.serve("m.example/actor", Served::activity(&m));
            rig.network.serve("b.example/elsewhere", Served::activity(&m));
            rig.network.serve("b.example/actor", served.clone());
            let before = rig.state().await?;
            for _ in 0..3 {
                let answer = rig.knock(&rotated(&rig, &new, key_id)).await;
                assert_eq!(answer.status.as_u16(), status, "{served:?}");
                assert_eq!(answer.headers.contains_key("retry-after"), status == 503);
            }
            assert_eq!(rig.network.requests(), 1, "{served:?}");
            assert_eq!(rig.state().await?.without_connections(), before.without_connections());
            // Five minutes later the right answer is taken.
            rig.clock.advance(Duration::from_mins(5));
            rig.network.serve("b.example/actor", Served::activity(&m));
            rig.accepts(&rotated(&rig, &new, key_id)).await?;
            assert_eq!(rig.network.requests(), 2);
        }
        // A host that does not answer at all is transient.
        let rig = Rig::new(&databases).await?;
        let gone = Peer::at("reader.example");
        rig.network.close();
        rig.list(&gone.partner(PartnerKind::Partner)).await?;
        let mut create = rig.create();
        create["actor"] = json!(gone.keys.actor());
        let mut knock = Knock::post(create.to_string(), rig.now());
        knock.cavage(&gone, &Cavage { key_id: "https://reader.example/actor#key-2".to_owned(), ..Cavage::usual(&gone) });
        assert_eq!(rig.knock(&knock).await.status, StatusCode::SERVICE_UNAVAILABLE);
    }

    async fn sec_034_a_key_counts_only_in_an_activitypub_document(databases: Databases) {
        let key_id = "https://b.example/actor#key-2";
        for media_type in ["text/html", "application/json", "application/ld+json", "application/activity+json.evil"] {
            let rig = Rig::new(&databases).await?;
            let new = new_keys(&rig);
            let document = with_key(&rig, key_id, new.multikey(), "https://b.example/actor");
            rig.network.serve("b.example/actor", Served::typed(media_type, &document));
            let before = rig.state().await?;
            assert_eq!(rig.knock(&rotated(&rig, &new, key_id)).await.status, StatusCode::UNAUTHORIZED, "{media_type}");
            assert_eq!(rig.state().await?.without_connections(), before.without_connections());
        }
    }

    async fn sec_035_keys_are_told_apart_by_their_exact_id(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        // The second of two pinned keys, in both schemes.
        rig.accepts(&named(&rig, &rig.b, &rig.b.keys.rsa_id())).await?;
        let mut knock = unsigned(&rig);
        let parameters = format!(";created={};keyid=\"{}\";alg=\"rsa-v1_5-sha256\"", rig.now().seconds(), rig.b.keys.rsa_id());
        let how = Rfc9421::over(&["@method", "@target-uri", "content-digest"], &parameters);
        knock.rfc9421(&rig.b, &Rfc9421 { rsa: true, ..how });
        assert_eq!(rig.knock(&knock).await.status, StatusCode::ACCEPTED);
        assert_eq!(rig.network.connections(), 0);
        // A fragment that does not exist.
        rig.network.serve("b.example/actor", Served::activity(&rig.b.actor_document()));
        let answer = rig.knock(&named(&rig, &rig.b, "https://b.example/actor#main-key-2")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(rig.federation.refusals.of(Code::UnknownKey), 1);
    }

    async fn sec_036_the_algorithm_is_the_keys_own(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let pem = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, rig.b.keys.rsa_pem().as_bytes());
        let mac = aws_lc_rs::hmac::sign(&pem, b"anything").as_ref().to_vec();
        for label in ["none", "hmac-sha256", "rsa-sha1", "ecdsa-sha256", "ed25519", "rsa-sha512", "RSA-SHA256"] {
            let mut knock = unsigned(&rig);
            let how = Cavage { algorithm: Some(label.to_owned()), signature: Some(mac.clone()), ..Cavage::usual(&rig.b) };
            knock.cavage(&rig.b, &how);
            rig.refuses(&knock, 401, &[Code::UnsupportedAlgorithm]).await?;
        }
        let mut knock = unsigned(&rig);
        knock.cavage(&rig.b, &Cavage { signature: Some(mac), ..Cavage::usual(&rig.b) });
        rig.refuses(&knock, 401, &[Code::BadSignature]).await?;
        let components = ["@method", "@target-uri", "content-digest"];
        for (key_id, label) in [
            (rig.b.keys.rsa_id(), "ed25519"),
            (rig.b.keys.ed25519_id(), "rsa-v1_5-sha256"),
            (rig.b.keys.ed25519_id(), "hmac-sha256"),
            (rig.b.keys.rsa_id(), "rsa-pss-sha512"),
        ] {
            let mut knock = unsigned(&rig);
            let parameters = format!(";created={};keyid=\"{key_id}\";alg=\"{label}\"", rig.now().seconds());
            knock.rfc9421(&rig.b, &Rfc9421::over(&components, &parameters));
            rig.refuses(&knock, 401, &[Code::UnsupportedAlgorithm]).await?;
        }
        // An rsa label on the Ed25519 key, in draft-cavage.
        let mut knock = unsigned(&rig);
        knock.cavage(&rig.b, &Cavage { key_id: rig.b.keys.ed25519_id(), ..Cavage::usual(&rig.b) });
        rig.refuses(&knock, 401, &[Code::UnsupportedAlgorithm]).await?;
    }

    async fn sec_038_one_signature_with_plain_components(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let m = Peer::at("m.example");
        let good = rig.b.post(&rig.create(), rig.now());
        let mut other = unsigned(&rig);
        other.rfc9421(&m, &Rfc9421::usual(&m, rig.now()));
        let value = |knock: &Knock, name: &str| knock.header(name).expect("signed").to_owned();
        let mut two = good.clone();
        two.set("signature-input", &format!("{}, {}", value(&good, "signature-input"), value(&other, "signature-input").replace("sig1=", "sig2=")));
        two.set("signature", &format!("{}, {}", value(&good, "signature"), value(&other, "signature").replace("sig1=", "sig2=")));
        rig.refuses(&two, 401, &[Code::MalformedSignatureInput]).await?;
        let mut twice = good.clone();
        twice.set("signature-input", &format!("{0}, {0}", value(&good, "signature-input")));
        rig.refuses(&twice, 401, &[Code::MalformedSignatureInput]).await?;
        let mut mismatch = good.clone();
        mismatch.set("signature", &value(&good, "signature").replace("sig1=", "sig2="));
        rig.refuses(&mismatch, 401, &[Code::MalformedSignatureInput]).await?;
        let mut alone = good.clone();
        alone.drop("signature");
        rig.refuses(&alone, 401, &[Code::MalformedSignatureInput]).await?;
        for (from, to) in [
            ("\"@method\" ", "\"@method\" \"@method\" "),
            ("\"@method\" ", "\"@method\";req "),
            ("\"content-digest\"", "\"content-digest\";bs"),
            ("\"content-digest\"", "\"content-digest\";tr"),
            ("\"content-digest\"", "\"content-digest\";key=\"sha-256\""),
            ("\"@method\" ", "\"@status\" "),
            ("\"@method\" ", "method "),
        ] {
            let mut knock = good.clone();
            knock.set("signature-input", &value(&good, "signature-input").replacen(from, to, 1));
            rig.refuses(&knock, 401, &[Code::MalformedSignatureInput]).await?;
        }
        let mut empty = unsigned(&rig);
        empty.rfc9421(&rig.b, &Rfc9421::over(&[], &Rfc9421::named(&rig.b, rig.now())));
        rig.refuses(&empty, 401, &[Code::DigestUnsigned]).await?;
    }

    async fn sec_041_a_verifier_that_fails_never_accepts(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut broken = rig.b.partner(PartnerKind::Partner);
        broken.rsa = Some(("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n".to_owned(), rig.b.keys.rsa_id()));
        rig.list(&broken).await?;
        let answer = rig.knock(&rig.b.post_cavage(&rig.create(), rig.now())).await;
        assert!(matches!(answer.status.as_u16(), 401 | 503), "{}", answer.status);
        assert_eq!(rig.rows("journal").await?, 0);
        // A store that is gone is nobody's fault: 503, and the sender comes back.
        let knock = rig.b.post(&rig.create(), rig.now());
        rig.federation.store.close().await;
        let answer = rig.knock(&knock).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers.contains_key("retry-after"));
    }

    async fn sec_042_nothing_runs_before_the_decision(databases: Databases) {
        // `refuses` compares every table, the partners, the counter and the connections.
        let rig = Rig::new(&databases).await?;
        let m = Peer::at("m.example");
        for kind in ["Create", "Update", "Delete", "Follow", "Undo", "Accept", "Announce", "Flag", "Move", "Block"] {
            let activity = rig.b.activity(kind, kind, &json!({"id": "https://b.example/x", "type": "Note"}));
            let mut knock = rig.b.post(&activity, rig.now());
            let flipped = knock.body.len() - 2;
            knock.body[flipped] ^= 1;
            rig.refuses(&knock, 401, &[Code::DigestMismatch]).await?;
            let mut knock = Knock::post(activity.to_string(), rig.now());
            knock.rfc9421(&m, &Rfc9421::usual(&rig.b, rig.now()));
            rig.refuses(&knock, 401, &[Code::BadSignature]).await?;
        }
    }

    async fn sec_046_a_flood_of_unknown_keys_asks_once_in_five_minutes(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.network.serve("b.example/actor", Served::activity(&rig.b.actor_document()));
        let flood = if std::env::var("PASSERELLE_LONG").is_ok() { 10_000 } else { 400 };
        for round in 1..=2 {
            for n in 0..flood {
                let key_id =
                    if n % 2 == 0 { rig.b.keys.rsa_id() } else { format!("https://b.example/actor#key-{n}") };
                let mut knock = unsigned(&rig);
                knock.cavage(&rig.b, &Cavage { key_id, signature: Some(vec![7; 256]), ..Cavage::usual(&rig.b) });
                let answer = rig.knock(&knock).await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
            }
            assert_eq!(rig.network.requests(), round);
            rig.clock.advance(Duration::from_mins(5));
        }
        assert!(rig.inbox.verifier().remembered_refetches() <= 2);
        assert_eq!(rig.rows("journal").await?, 0);
    }

    async fn sec_046_nonsense_of_strangers_keeps_no_new_key_out(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let new = new_keys(&rig);
        let key_id = "https://b.example/actor#key-2";
        let document = with_key(&rig, key_id, new.multikey(), "https://b.example/actor");
        rig.network.serve("b.example/actor", Served::activity(&document));
        let nonsense = named(&rig, &Peer::at("m.example"), "https://b.example/actor#nonsense");
        assert_eq!(rig.knock(&nonsense).await.status, StatusCode::UNAUTHORIZED);
        rig.accepts(&rotated(&rig, &new, key_id)).await?;
        assert_eq!(rig.network.requests(), 1);
    }

    async fn sec_076_rel_064_a_new_key_is_taken_from_the_actors_own_origin_only(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let new = new_keys(&rig);
        let key_id = "https://b.example/actor#key-2";
        let document = with_key(&rig, key_id, new.multikey(), "https://b.example/actor");
        // Told inside an activity, it changes nothing.
        let update = rig.b.activity("u1", "Update", &document);
        rig.apply(&update).await?;
        let listed = |rig: &Rig| rig.b.partner(PartnerKind::Partner);
        let mut tx = rig.federation.store.read().await?;
        assert_eq!(tx.lookup_partner(&listed(&rig).domain).await?, Some(listed(&rig)));
        drop(tx);
        // Signed with it, it is looked up once, pinned and written down; the old one has a day of grace.
        rig.network.serve("b.example/actor", Served::activity(&document));
        rig.accepts(&rotated(&rig, &new, key_id)).await?;
        assert_eq!(rig.network.requests(), 1);
        assert_eq!(rig.audit("key-replaced").await?.len(), 1);
        let mut follow = rig.b.activity("f1", "Follow", &json!("https://a.example/actor"));
        assert_eq!(rig.post(&follow).await.status, StatusCode::ACCEPTED);
        rig.clock.advance(Duration::from_hours(25));
        let mut only_new = rig.b.actor_document();
        only_new["assertionMethod"] = json!([document["assertionMethod"][1]]);
        rig.network.serve("b.example/actor", Served::activity(&only_new));
        follow["id"] = json!("https://b.example/activities/f2");
        assert_eq!(rig.post(&follow).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(rig.network.requests(), 2);
    }

    async fn a_signed_get_says_who_reads(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let target = "/actor/records?cursor=abc";
        let read = async |knock: &Knock| {
            let (parts, _) = knock.parts();
            rig.inbox.verifier().get(&parts).await.map(|reader| reader.partner().domain.to_string()).map_err(|refusal| refusal.code())
        };
        let mut knock = Knock::get(target, rig.now());
        assert_eq!(read(&knock).await, Err(Code::Unsigned));
        knock.cavage(&rig.b, &Cavage::over(&rig.b, "(request-target) host date"));
        assert_eq!(read(&knock).await.as_deref(), Ok("b.example"));
        let mut other = knock.clone();
        other.target = "/actor/records?cursor=abd".into();
        assert_eq!(read(&other).await, Err(Code::BadSignature));
        let mut knock = Knock::get(target, rig.now());
        knock.cavage(&rig.b, &Cavage::over(&rig.b, "host date"));
        assert_eq!(read(&knock).await, Err(Code::WeakSignature));
        for (components, good) in [
            (&["@method", "@target-uri"][..], true),
            (&["@method", "@authority", "@path", "@query"], true),
            (&["@method", "@authority", "@path"], false),
        ] {
            let mut knock = Knock::get(target, rig.now());
            knock.rfc9421(&rig.b, &Rfc9421::over(components, &Rfc9421::named(&rig.b, rig.now())));
            assert_eq!(read(&knock).await.is_ok(), good, "{components:?}");
        }
        let m = Peer::at("m.example");
        let mut knock = Knock::get(target, rig.now());
        knock.rfc9421(&m, &Rfc9421::over(&["@method", "@target-uri"], &Rfc9421::named(&m, rig.now())));
        assert_eq!(read(&knock).await, Err(Code::NotListed));
        assert_eq!(rig.network.connections(), 0);
    }
}

/// DER of one value.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u16::try_from(content.len()).expect("short") {
        short @ 0..128 => out.push(short.to_le_bytes()[0]),
        long => {
            out.push(0x82);
            out.extend_from_slice(&long.to_be_bytes());
        }
    }
    out.extend_from_slice(content);
    out
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    let mut positive = vec![0];
    positive.extend_from_slice(bytes);
    der(0x02, if bytes[0] >= 0x80 { &positive } else { bytes })
}

fn pem(tag: &str, der: &[u8]) -> String {
    format!("-----BEGIN {tag}-----\n{}\n-----END {tag}-----\n", STANDARD.encode(der))
}

/// A public RSA key with a modulus of so many bits, PKCS #1 and SPKI.
fn rsa(bits: usize, last: u8, exponent: &[u8]) -> [String; 2] {
    let mut modulus = vec![0xc5; bits / 8];
    *modulus.last_mut().expect("bytes") = last;
    let key = der(0x30, &[integer(&modulus), integer(exponent)].concat());
    let algorithm = der(0x30, &[der(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]), der(0x05, &[])].concat());
    let mut bits = vec![0];
    bits.extend_from_slice(&key);
    [pem("RSA PUBLIC KEY", &key), pem("PUBLIC KEY", &der(0x30, &[algorithm, der(0x03, &bits)].concat()))]
}

#[test]
fn sec_037_only_sane_rsa_keys_are_pinned() {
    let f4 = [1, 0, 1];
    for bits in [2048, 3072, 4096] {
        for text in rsa(bits, 0x01, &f4) {
            assert!(RsaPublicKey::from_pem(&text).is_ok(), "{bits} bits");
        }
    }
    let started = Instant::now();
    let mut refused = 0;
    let mut refuse = |texts: [String; 2], what: &str| {
        for text in texts {
            assert!(RsaPublicKey::from_pem(&text).is_err(), "{what} was taken");
            refused += 1;
        }
    };
    for bits in [512, 1024, 2040, 4104, 16384] {
        refuse(rsa(bits, 0x01, &f4), &format!("{bits} bits"));
    }
    refuse(rsa(2048, 0x02, &f4), "an even modulus");
    refuse(rsa(2048, 0x01, &[1]), "e = 1");
    refuse(rsa(2048, 0x01, &[4]), "an even exponent");
    refuse(rsa(2048, 0x01, &[1, 0, 0, 0, 0, 0, 0, 0, 0]), "e = 2^64");
    refuse(rsa(2048, 0x01, &[1, 0, 0, 0, 0, 0, 0, 0, 1]), "e = 2^64 + 1");
    let ec = rcgen::KeyPair::generate().expect("a key").public_key_pem();
    let ed = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key").public_key_pem();
    let million = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", "A".repeat(1 << 20));
    for text in [ec, ed, million, "garbage".to_owned(), String::new()] {
        assert!(RsaPublicKey::from_pem(&text).is_err(), "{text:.80} was taken");
        refused += 1;
    }
    assert!(started.elapsed() / refused < Duration::from_millis(50), "{:?} each", started.elapsed() / refused);
}
