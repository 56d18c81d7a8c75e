use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

use super::*;
use crate::settings::Settings;
use crate::volume::Folders;

struct Fixture {
    site: Site,
    file: PathBuf,
    _root: tempfile::TempDir,
}

/// A site with a relay whose trust anchors are in a file that does not exist yet.
fn fixture() -> Fixture {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("relay-ca.pem");
    let set = [
        ("MAIL_DOMAIN", "example.org"),
        ("MAIL_ACME_DIRECTORY", "none"),
        ("MAIL_RELAY_URL", "submissions://ann:swordfish@smarthost.example.net"),
        ("MAIL_RELAY_CA_FILE", file.to_str().unwrap()),
    ];
    let settings = Settings::read(set.into_iter().map(|(name, value)| (name.into(), value.into()))).unwrap();
    let folders = Folders { volume: root.path().to_owned(), runtime: root.path().join("run") };
    std::fs::create_dir(&folders.runtime).unwrap();
    let site = Site::unstarted(settings, folders);
    Fixture { site, file, _root: root }
}

fn authority() -> String {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

impl Fixture {
    fn copy(&self) -> Vec<String> {
        copy_anchors(&self.site).map(|concern| concern.to_string()).collect()
    }

    /// The trust anchors in the MTA's configuration for the relay.
    fn trusted_by(&self) -> Option<String> {
        let copy = self.site.relay().unwrap().authorities?;
        assert_ne!(copy, self.file, "the MTA may not be able to read what root can");
        Some(std::fs::read_to_string(copy).unwrap())
    }

    fn assert_refused(&self, why: &str, meanwhile: &str) {
        let concerns = self.copy();
        let [concern] = &concerns[..] else { panic!("{concerns:?}") };
        let named = format!("the file of MAIL_RELAY_CA_FILE, {}, cannot be used", self.file.display());
        for part in [named.as_str(), why, meanwhile, "; put a certificate into that file in PEM"] {
            assert!(concern.contains(part), "{part:?} is missing in {concern}");
        }
    }
}

#[test]
fn an_unusable_file_is_reported_and_the_relay_is_not_trusted_by_it() {
    let fixture = fixture();
    let waits = "mail for the relay waits";
    fixture.assert_refused("No such file", waits);
    std::fs::create_dir(&fixture.file).unwrap();
    fixture.assert_refused("not a regular file", waits);
    std::fs::remove_dir(&fixture.file).unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (text, why) in
        [("swordfish", "no certificate in PEM"), (broken, "invalid"), (&"\n".repeat(2 << 20), "1 MiB")]
    {
        std::fs::write(&fixture.file, text).unwrap();
        fixture.assert_refused(why, waits);
        assert_eq!(fixture.trusted_by(), None);
    }
}

#[test]
fn a_valid_file_is_copied_and_stays_in_use_until_there_is_another_valid_one() {
    let fixture = fixture();
    let authorities = [authority(), authority() + &authority()];
    std::fs::write(&fixture.file, &authorities[0]).unwrap();
    assert_eq!((fixture.copy(), fixture.trusted_by()), (vec![], Some(authorities[0].clone())));
    std::fs::write(&fixture.file, "").unwrap();
    fixture.assert_refused("no certificate in PEM", "the previous one stays in use");
    assert_eq!(fixture.trusted_by(), Some(authorities[0].clone()));
    std::fs::write(&fixture.file, &authorities[1]).unwrap();
    assert_eq!((fixture.copy(), fixture.trusted_by()), (vec![], Some(authorities[1].clone())));
}
