//! What is in the store is of no use to whoever reads it.

use serde_json::json;
use tower_bearer::{
    issue::{AuthorizationServer, Cascade, ServerKeys, Store as _, Write},
    store::Memory,
    time::UnixTime,
};

use super::world::{Answer, ISSUER, World, keys, new_app, root};

/// All that was handed out.
#[derive(Default)]
struct HandedOut(Vec<String>);

impl HandedOut {
    fn add(&mut self, answer: &Answer) {
        for member in ["accessToken", "refreshToken", "access_token", "refresh_token"] {
            self.0.extend(answer.json()[member].as_str().map(str::to_owned));
        }
    }

    /// Neither these texts, nor their longest parts, nor what they are when decoded.
    fn assert_not_in(&self, dump: &[u8]) {
        assert!(self.0.len() > 20);
        for text in &self.0 {
            let parts = text.split(['.', '_']).filter(|part| part.len() >= 40);
            for part in parts.chain([text.as_str()]) {
                assert!(!contains(dump, part.as_bytes()), "{text} is in the store");
                if let Ok(bytes) = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(part) {
                    let end = &bytes[bytes.len().saturating_sub(24)..];
                    assert!(!contains(dump, end), "the bytes of {text} are in the store");
                }
            }
        }
    }
}

fn contains(dump: &[u8], part: &[u8]) -> bool {
    dump.windows(part.len()).any(|window| window == part)
}

/// A long life: every way to get and lose a token, a secret and a key.
async fn live(world: &World) -> HandedOut {
    let mut out = HandedOut(vec![world.secret.expose().to_owned()]);
    let (applications, id) = (world.server.applications(), world.app.id().to_owned());
    applications.set_oauth_refresh(&id, true).await.unwrap();
    let chosen = "correct horse battery staple with more words";
    applications.add_chosen_secret(&id, "chosen", chosen).await.unwrap();
    out.0.push(chosen.to_owned());
    for turn in 0..3 {
        let pair = world.authenticate().await;
        out.add(&pair);
        let next = world.refresh(&pair.refresh()).await;
        out.add(&next);
        out.add(&world.refresh(&pair.refresh()).await);
        out.add(&world.authenticate_with("App1", chosen).await);
        let oauth = world.form("/oauth2/token", "grant_type=client_credentials").await;
        out.add(&oauth);
        let ask = format!("grant_type=refresh_token&refresh_token={}", oauth.text("refresh_token"));
        out.add(&world.form("/oauth2/token", &ask).await);
        world.form("/oauth2/introspect", &format!("token={}", next.access())).await;
        world.form("/oauth2/revoke", &format!("token={}", oauth.text("access_token"))).await;
        let revoke = json!({ "refreshToken": next.refresh() });
        world.post("/api/Auth/revokeApplicationToken", &revoke).await;
        let (other, secret) = world.another(new_app(&format!("Other {turn}"))).await;
        out.0.push(secret.expose().to_owned());
        let second = applications.add_secret(other.id(), "second").await.unwrap();
        out.0.push(second.expose().to_owned());
        let first = applications.get(other.id()).await.unwrap();
        let first = first.secrets().next().unwrap().id().to_owned();
        applications.revoke_secret(other.id(), &first, Cascade::Yes).await.unwrap();
        world.server.rotate_signing_key().await.unwrap();
        world.advance(2 * 24 * 3600);
        world.server.maintain().await.unwrap();
    }
    out
}

/// I-SEC-04, I-RT-12, I-ROT-10: no secret, token or private key that was handed out, nor a key of
/// the server.
#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_dump_of_the_file_holds_nothing_that_was_handed_out() {
    use tower_bearer::Algorithm;
    for algorithm in [Algorithm::Es256, Algorithm::Hs256, Algorithm::EdDsa] {
        let folder = crate::folder::Folder::new();
        let path = folder.path().join("tokens.db");
        let store = tower_bearer::store::Sqlite::open(&path).await.unwrap();
        let server = |server: tower_bearer::issue::ServerBuilder| server.algorithm(algorithm);
        let world = World::over(store.clone(), server, |endpoints| endpoints).await;
        let out = live(&world).await;
        let mut dump = Vec::new();
        // Before and after the log is moved into the file.
        for close in [false, true] {
            if close {
                store.close().await.unwrap();
            }
            for file in std::fs::read_dir(folder.path()).unwrap() {
                dump.extend(std::fs::read(file.unwrap().path()).unwrap());
            }
        }
        assert!(contains(&dump, world.app.id().as_bytes()), "the dump is read wrongly");
        out.assert_not_in(&dump);
        assert!(!contains(&dump, &[1; 32]), "the root key is in the store");
        // PKCS#8: the header of every private key of P-256 and Ed25519.
        for header in [
            &[0x30, 0x81, 0x87, 2, 1, 0, 0x30, 0x13][..],
            &[0x30, 0x51, 2, 1],
            &[0x30, 0x2e, 2, 1, 0, 0x30, 5],
        ] {
            assert!(!contains(&dump, header), "a private key is in the store");
        }
    }
}

#[tokio::test]
async fn a_sealed_key_in_the_row_of_another_does_not_open() {
    let store = Memory::new();
    let world = World::over(store.clone(), |server| server, |endpoints| endpoints).await;
    world.server.rotate_signing_key().await.unwrap();
    let [first, second] = store.signing_keys().await.unwrap().try_into().unwrap();
    let mut swapped = [first.clone(), second.clone()];
    (swapped[0].sealed, swapped[1].sealed) = (second.sealed.clone(), first.sealed.clone());
    for record in swapped {
        let writes = vec![Write::ReplaceKey(record)];
        let _ = store.apply(writes).await.unwrap();
    }
    let open = || AuthorizationServer::builder(store.clone()).issuer(ISSUER).keys(keys()).open();
    let error = open().await.unwrap_err().to_string();
    assert!(error.contains("a signing key does not open"), "{error}");
    assert!(world.server.maintain().await.is_err());
    // The server goes on with what it has.
    assert_eq!(world.call(&world.authenticate().await.access()).await, 200);
    for record in [first, second] {
        let _ = store.apply(vec![Write::ReplaceKey(record)]).await.unwrap();
    }
    assert!(open().await.is_ok());
}

#[tokio::test]
async fn the_digest_of_one_application_is_of_no_use_to_another() {
    let store = Memory::new();
    let world = World::over(store.clone(), |server| server, |endpoints| endpoints).await;
    let (other, secret) = world.another(new_app("App2")).await;
    let mut mine = store.application(world.app.id()).await.unwrap().unwrap();
    let theirs = store.application(other.id()).await.unwrap().unwrap();
    mine.secrets[0].digest = theirs.secrets[0].digest.clone();
    mine.version += 1;
    let _ = store.apply(vec![Write::ReplaceApplication(mine)]).await.unwrap();
    assert_eq!(world.authenticate_with("App1", secret.expose()).await.status, 401);
    assert_eq!(world.authenticate_with("App2", secret.expose()).await.status, 200);
}

/// I-SEC-04: 32 bytes of HMAC, with the tag of its pepper.
#[tokio::test]
async fn a_generated_secret_is_kept_as_a_tag_and_a_chosen_one_as_a_slow_hash() {
    let store = Memory::new();
    let world = World::over(store.clone(), |server| server, |endpoints| endpoints).await;
    let id = world.app.id();
    let chosen = "correct horse battery staple";
    world.server.applications().add_chosen_secret(id, "chosen", chosen).await.unwrap();
    let record = store.application(id).await.unwrap().unwrap();
    let [generated, chosen] = record.secrets.try_into().unwrap();
    let tag = generated.digest.strip_prefix("hmac-sha256$").unwrap().rsplit('$').next().unwrap();
    assert_eq!(base64_simd::URL_SAFE_NO_PAD.decode_to_vec(tag).unwrap().len(), 32);
    assert!(chosen.digest.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", chosen.digest);
    assert!(!format!("{generated:?}").contains(tag));
}

/// I-SEC-05: a hash of lower cost is made anew when its secret is used.
#[tokio::test]
async fn an_outdated_hash_is_made_anew() {
    let store = Memory::new();
    let world = World::over(store.clone(), |server| server, |endpoints| endpoints).await;
    let mut record = store.application(world.app.id()).await.unwrap().unwrap();
    // "correct horse battery staple", hashed at the least cost that Argon2 has.
    record.secrets[0].digest = OUTDATED.to_owned();
    record.version += 1;
    let _ = store.apply(vec![Write::ReplaceApplication(record)]).await.unwrap();
    let chosen = "correct horse battery staple";
    assert_eq!(world.authenticate_with("App1", chosen).await.status, 200);
    let record = store.application(world.app.id()).await.unwrap().unwrap();
    assert!(record.secrets[0].digest.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(world.authenticate_with("App1", chosen).await.status, 200);
    assert_eq!(world.authenticate_with("App1", &chosen.replace('c', "C")).await.status, 401);
}

const OUTDATED: &str = "$argon2id$v=19$m=64,t=1,p=1$AQEBAQEBAQEBAQEBAQEBAQ$PMs7c+kqfvtE8Q7j/NJEOk1NbCl2/8JVAjNmqlVaT0g";

/// I-ROT-10: a file for the key is made for its owner only, and refused if it is not.
#[cfg(unix)]
#[test]
fn a_key_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    use tower_bearer::issue::{KeyFileError, RootKey};
    let folder = crate::folder::Folder::new();
    let path = folder.path().join("server.key");
    let made = RootKey::load_or_create(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!((text.len(), text.ends_with('\n')), (65, true));
    assert!(RootKey::load_or_create(&path).is_ok());
    assert!(!format!("{made:?}").contains(&text[..64]));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "it stays the same");

    for mode in [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let exposed = RootKey::load_or_create(&path).unwrap_err();
        assert!(matches!(exposed, KeyFileError::Exposed { .. }), "{mode:o}");
        assert!(exposed.to_string().contains("run chmod 600"), "{exposed}");
    }
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    for odd in ["", "abc", &"g".repeat(64), &"0".repeat(65), &"0".repeat(63)] {
        std::fs::write(&path, odd).unwrap();
        let error = RootKey::load_or_create(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::NoKey { .. }), "{odd}: {error}");
    }
    let nowhere = RootKey::load_or_create(folder.path().join("no/such/folder")).unwrap_err();
    assert!(matches!(nowhere, KeyFileError::Io { .. }));
}

#[test]
fn a_key_file_that_is_lost_is_named_and_not_made_up_for() {
    use tower_bearer::issue::{KeyFileError, RootKey};
    let folder = crate::folder::Folder::new();
    let path = folder.path().join("server.key");
    let lost = RootKey::load(&path).unwrap_err();
    assert!(matches!(&lost, KeyFileError::Missing { path: named } if *named == path));
    let said = format!("there is no key file {}: put the one back", path.display());
    assert!(lost.to_string().starts_with(&said), "{lost}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was written");
    RootKey::load_or_create(&path).unwrap();
    assert!(RootKey::load(&path).is_ok());
}

#[tokio::test]
async fn the_same_file_makes_the_same_keys() {
    let folder = crate::folder::Folder::new();
    let path = folder.path().join("server.key");
    use tower_bearer::issue::RootKey;
    let store = Memory::new();
    for read in [RootKey::load_or_create, RootKey::load, RootKey::load_or_create] {
        let keys = ServerKeys::new(&read(&path).unwrap());
        AuthorizationServer::builder(store.clone()).issuer(ISSUER).keys(keys).open().await.unwrap();
    }
    assert_eq!(store.signing_keys().await.unwrap().len(), 1);
    assert!(store.revocations(UnixTime::from_secs(0)).await.unwrap().is_empty());
    let _ = root(1);
}
