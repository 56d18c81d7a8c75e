use std::path::Path;

use ::accounts::declaration::{DeclaredUser, VerificationCache};
use ::accounts::{Accounts, Password};
use address::Domain;
use handover::config::{self, Mda, Mta, Steward};

use super::*;
use crate::settings::Settings;
use crate::site::HeartbeatPassword;
use crate::volume::Folders;

fn site(folder: &Path, purpose: Purpose, users: &str) -> Site {
    let set = [
        ("MAIL_DOMAIN", "example.org"),
        ("MAIL_USERS", users),
        ("MAIL_RELAY_URL", "smtp://127.0.0.1:2525"),
        ("MAIL_DNS_SERVERS", "127.0.0.1:5353"),
        ("MAIL_MESSAGE_SIZE", "1M"),
        ("MAIL_QUOTA", "2G,ann:none"),
    ];
    let settings = Settings::read(set.into_iter().map(|(name, value)| (name.into(), value.into()))).unwrap();
    let folders = Folders { volume: folder.to_owned(), runtime: folder.join("run") };
    std::fs::create_dir_all(&folders.runtime).unwrap();
    Site {
        settings,
        folders,
        owners: None,
        purpose,
        heartbeat_password: Some(HeartbeatPassword::new()),
        proofs: VerificationCache::default(),
    }
}

fn key(site: &Site) -> DkimKey {
    DkimKey {
        domain: Domain::parse("example.org").unwrap(),
        selector: "mailstead-rsa".into(),
        key: site.folders.dkim().join("example.org/mailstead-rsa.pem"),
    }
}

#[test]
fn the_daemons_read_the_written_configurations() {
    let folder = tempfile::tempdir().unwrap();
    let at = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let own = OwnAddresses { health: at(8025), smtp: at(25), imaps: at(993) };
    for purpose in [Purpose::Appliance, Purpose::Demo] {
        let site = site(folder.path(), purpose, "ann:one-long-password");
        write_mail_daemons(&site, vec![key(&site)]).unwrap();
        write_steward(&site, own).unwrap();
        let path = |role: Role| site.folders.configuration(role.name());
        assert_eq!(
            config::load::<Mta>(&path(Role::Mta)).unwrap(),
            Mta {
                login: login(&gateway::default_gateways(), &[]),
                ..mta::configuration(&site, vec![key(&site)])
            }
        );
        let mda = Mda { login: login(&gateway::default_gateways(), &[]), ..mda::configuration(&site) };
        assert_eq!(config::load::<Mda>(&path(Role::Mda)).unwrap(), mda);
        assert_eq!(
            config::load::<Steward>(&path(Role::Steward)).unwrap(),
            steward::configuration(&site, own)
        );
        rewrite_steward(&site).unwrap();
        assert_eq!(
            config::load::<Steward>(&path(Role::Steward)).unwrap(),
            steward::configuration(&site, own)
        );
    }
}

#[test]
fn the_settings_arrive_and_only_the_demo_has_no_limit_for_one_address() {
    let folder = tempfile::tempdir().unwrap();
    let appliance =
        mta::configuration(&site(folder.path(), Purpose::Appliance, "ann:one-long-password"), Vec::new());
    assert_eq!(appliance.limits.message_size, 1 << 20);
    assert_eq!(appliance.relay.unwrap().to_string(), "127.0.0.1:2525");
    let address = |text: &str| address::Address::parse(text).unwrap();
    assert_eq!(appliance.quotas.of(&address("ann@example.org")), None);
    assert_eq!(appliance.quotas.of(&address("bob@example.org")), Some(2 << 30));
    assert_eq!(appliance.dns.servers, ["127.0.0.1:5353".parse().unwrap()]);
    assert_ne!(appliance.limits.connections_per_address, 0);
    let demo = site(folder.path(), Purpose::Demo, "ann:one-long-password");
    assert_eq!(mta::configuration(&demo, Vec::new()).limits.connections_per_address, 0);
    assert_eq!(mda::configuration(&demo).limits.connections_per_address, 0);
    assert!(
        mda::configuration(&demo).limits.message_size
            > mta::configuration(&demo, Vec::new()).limits.message_size
    );
}

#[test]
fn a_password_is_hashed_once_and_the_file_written_only_when_something_changed() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let inode = |site: &Site| std::fs::metadata(site.folders.accounts()).unwrap().ino();
    let site = |users: &str| site(folder.path(), Purpose::Appliance, users);

    write_accounts(&site("ann:one-long-password")).unwrap();
    let first = Accounts::load(&site("ann:one-long-password").folders.accounts()).unwrap();
    let before = inode(&site("ann:one-long-password"));
    write_accounts(&site("ann:one-long-password")).unwrap();
    assert_eq!(inode(&site("ann:one-long-password")), before, "written although nothing changed");

    write_accounts(&site("ann:two-long-password,bob:three-long-password")).unwrap();
    let second = Accounts::load(&site("ann:one-long-password").folders.accounts()).unwrap();
    assert_ne!(first.users[0].secret, second.users[0].secret);
    assert!(second.users[0].secret.verifies(&Password::new("two-long-password").unwrap()));
    let DeclaredUser { user, .. } = &site("ann:one-long-password").settings.users[0];
    assert!(second.user(user).unwrap().enabled);
}

#[test]
fn a_reload_with_the_same_passwords_computes_no_hash() {
    let folder = tempfile::tempdir().unwrap();
    let site = |users: &str, proofs: &VerificationCache| Site {
        proofs: proofs.clone(),
        ..site(folder.path(), Purpose::Appliance, users)
    };
    let proofs = VerificationCache::default();
    write_accounts(&site("ann:one-long-password,bob:two-long-password", &proofs)).unwrap();
    assert_eq!(proofs.hashes_computed(), 2);
    write_accounts(&site("ann:one-long-password,bob:two-long-password", &proofs)).unwrap();
    assert_eq!(proofs.hashes_computed(), 2);
    // Another process 1 has to verify each password once.
    let proofs = VerificationCache::default();
    for _ in 0..2 {
        write_accounts(&site("ann:one-long-password,bob:two-long-password", &proofs)).unwrap();
        assert_eq!(proofs.hashes_computed(), 2);
    }
}

#[test]
fn accounts_that_cannot_be_read_are_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), Purpose::Appliance, "ann:one-long-password");
    std::fs::write(site.folders.accounts(), "half a fi").unwrap();
    assert!(matches!(write_accounts(&site), Err(AccountsError::File(volume::AccountsFileError::Read(_)))));
    assert_eq!(std::fs::read_to_string(site.folders.accounts()).unwrap(), "half a fi");
}

#[test]
fn shared_addresses_are_this_machine_and_its_gateways() {
    let login = login(&["172.18.0.1".parse().unwrap(), "fd00::1".parse().unwrap()], &[]);
    let written: Vec<String> = login.shared_networks.iter().map(ToString::to_string).collect();
    assert_eq!(written, ["127.0.0.0/8", "::1/128", "172.18.0.1/32", "fd00::1/128"]);
}
