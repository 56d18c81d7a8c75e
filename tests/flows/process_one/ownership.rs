//! The files on the volume that process 1 gives to another owner and those that it does not, and the files there that
//! it reads and that a daemon may have written.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, chown, lchown, symlink};
use std::path::Path;

use tests::appliance::Container;

/// The users of the image, and those of the previous versions, by their numbers.
const MTA: (u32, u32) = (5001, 5001);
const VMAIL: (u32, u32) = (5000, 5000);
const STEWARD: (u32, u32) = (5002, 5002);
const SHARED: u32 = 5003;
const OLD_MTA: (u32, u32) = (101, 101);
const OLD_VMAIL: (u32, u32) = (102, 102);
const OLD_STEWARD: (u32, u32) = (103, 103);
const OLD_SHARED: u32 = 100;

fn owner(path: &Path) -> (u32, u32) {
    let found = fs::symlink_metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (found.uid(), found.gid())
}

fn set_owner(path: &Path, (user, group): (u32, u32)) {
    lchown(path, Some(user), Some(group)).unwrap();
}

/// Makes a file with its folders, all of one owner.
fn write_owned(top: &Path, path: &str, owner: (u32, u32)) {
    let file = top.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, path).unwrap();
    set_owner_below(top, &file, owner);
}

fn set_owner_below(top: &Path, path: &Path, owner: (u32, u32)) {
    for above in path.ancestors().take_while(|above| *above != top) {
        set_owner(above, owner);
    }
}

/// Each path of the volume with its owner.
fn owners(folder: &Path) -> Vec<(String, (u32, u32))> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found.push((path.display().to_string(), owner(&path)));
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            found.extend(owners(&path));
        }
    }
    found.sort();
    found
}

#[test]
fn links_below_mail_are_not_followed() {
    let mut appliance = Container::new().serve();
    assert_eq!(appliance.stop(), Some(0));
    let volume = appliance.volume();
    let mail = volume.join("mail");
    // As the MDA could make them: in the place of a domain, a user, a Maildir, and a file in one.
    write_owned(&mail, "example.org/real/Maildir/new/1.message", VMAIL);
    write_owned(&mail, "example.org/half/file", VMAIL);
    for (link, target) in [
        ("to-the-volume", "/data"),
        ("to-the-top", "/"),
        ("example.org/to-the-keys", "/data/dkim"),
        ("example.org/half/Maildir", "/data/tls"),
        ("example.org/real/Maildir/cur", "/data/queue"),
    ] {
        symlink(target, mail.join(link)).unwrap();
        set_owner(&mail.join(link), VMAIL);
    }
    // And below a folder that the operator has copied in, whose content is given to the MDA.
    write_owned(&mail, "example.org/brought/Maildir/new/2.message", (1000, 1000));
    for (link, target) in
        [("new/to-the-keys", "/data/dkim"), ("cur", "/data/tls"), ("tmp", "/data/accounts.toml")]
    {
        symlink(target, mail.join("example.org/brought/Maildir").join(link)).unwrap();
    }
    let others = |name: &str| owners(&volume.join(name));
    let before = ["dkim", "tls", "queue", "acme", "index"].map(others);
    appliance.start_again();
    assert_eq!(["dkim", "tls", "queue", "acme", "index"].map(others), before);
    for (name, expected) in
        [("accounts.toml", (0, SHARED)), ("dkim", (0, MTA.1)), ("tls", (STEWARD.0, SHARED))]
    {
        assert_eq!(owner(&volume.join(name)), expected, "{name}");
    }
    assert_eq!(owner(&volume), (0, SHARED));
    assert_eq!(owner(&appliance.path("/etc/passwd")), (0, 0));
    assert_eq!(owner(&mail.join("example.org/brought/Maildir/new/2.message")), VMAIL);
    assert_eq!(owner(&mail.join("example.org/brought")), VMAIL);
}

#[test]
fn a_volume_of_former_users_is_taken_over_once() {
    let mut appliance = Container::new().serve();
    assert_eq!(appliance.stop(), Some(0));
    let volume = appliance.volume();
    write_owned(&volume.join("mail"), "example.org/ann/Maildir/cur/1.message:2,S", VMAIL);
    write_owned(&volume.join("mail"), "example.org/ann/Maildir/.Archive.2024/new/2.message", VMAIL);
    write_owned(&volume.join("index"), "example.org/ann.sqlite", VMAIL);
    write_owned(&volume.join("queue"), "dead/3.eml", MTA);
    write_owned(&volume.join("acme"), "account.json", STEWARD);
    // A copy within the mailbox is a hard link.
    let message = volume.join("mail/example.org/ann/Maildir/cur/1.message:2,S");
    let copy = volume.join("mail/example.org/ann/Maildir/.Archive.2024/new/4.message");
    fs::hard_link(&message, &copy).unwrap();
    let right = owners(&volume);

    // As the previous version has left it.
    let old = |number| match number {
        number if number == MTA.0 => OLD_MTA.0,
        number if number == VMAIL.0 => OLD_VMAIL.0,
        number if number == STEWARD.0 => OLD_STEWARD.0,
        number if number == SHARED => OLD_SHARED,
        number => number,
    };
    for (path, (user, group)) in &right {
        let _ = chown(path, Some(old(*user)), Some(old(*group)));
    }
    set_owner(&volume, (0, OLD_SHARED));
    // Planted by a compromised MDA: a second name for a file of root's.
    let secret = volume.join("settings.toml");
    fs::hard_link(&secret, volume.join("mail/example.org/planted")).unwrap();

    appliance.start_again();
    let planted = volume.join("mail/example.org/planted");
    assert_eq!((owner(&secret), owner(&planted)), ((0, 0), (0, 0)));
    let warned = |log: &str| log.matches("ownership of some files not changed").count();
    let log = appliance.log();
    let seen = log.len();
    assert_eq!(warned(&log), 1, "{log}");
    assert!(log.contains("mail/example.org/planted") && log.contains("fixed ownership"), "{log}");
    fs::remove_file(planted).unwrap();
    for (path, expected) in &right {
        // A new heartbeat or login may have replaced a file meanwhile.
        if Path::new(path).symlink_metadata().is_ok() {
            assert_eq!(owner(Path::new(path)), *expected, "{path}");
        }
    }
    assert_eq!(appliance.inside(|| appliance.services().inbox(0)).len(), 1);

    // The next start changes nothing.
    assert_eq!(appliance.stop(), Some(0));
    appliance.start_again();
    let log = appliance.log().split_off(seen);
    assert!(!log.contains("ownership"), "{log}");
}

#[test]
fn an_interrupted_takeover_is_resumed() {
    let mut appliance = Container::new().serve();
    assert_eq!(appliance.stop(), Some(0));
    let mail = appliance.volume().join("mail");
    write_owned(&mail, "example.org/ann/Maildir/cur/1.message:2,S", OLD_VMAIL);
    write_owned(&mail, "example.org/bob/Maildir/cur/2.message:2,S", OLD_VMAIL);
    // The part that was done: one user, of the domain. The folder at the top comes last.
    set_owner(&mail, OLD_VMAIL);
    set_owner_below(
        &mail.join("example.org"),
        &mail.join("example.org/ann/Maildir/cur/1.message:2,S"),
        VMAIL,
    );
    appliance.start_again();
    assert!(owners(&mail).iter().all(|(_, owner)| *owner == VMAIL), "{:?}", owners(&mail));
}

#[test]
fn a_takeover_does_not_read_folders_of_other_owners() {
    let mut appliance = Container::new().without_capability("dac_read_search").serve();
    assert_eq!(appliance.stop(), Some(0));
    let mail = appliance.volume().join("mail");
    write_owned(&mail, "example.org/ann/Maildir/cur/1.message:2,S", OLD_VMAIL);
    for folder in ["", "example.org", "example.org/ann", "example.org/ann/Maildir"] {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(mail.join(folder), fs::Permissions::from_mode(0o700)).unwrap();
    }
    set_owner(&mail, OLD_VMAIL);
    appliance.start_again();
    assert!(owners(&mail).iter().all(|(_, owner)| *owner == VMAIL), "{:?}", owners(&mail));
}

#[test]
fn files_of_a_daemon_do_not_hinder_process_1() {
    let mut appliance = Container::new().serve();
    let volume = appliance.volume();
    let tls = volume.join("tls");
    type Plant = fn(&Path);
    let plants: [(&str, Plant); 4] = [
        ("certificate.pem", |path| File::options().write(true).open(path).unwrap().set_len(3 << 30).unwrap()),
        ("certificate.pem", |path| {
            fs::remove_file(path).unwrap();
            nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        }),
        ("certificate.pem", |path| {
            fs::remove_file(path).unwrap();
            symlink("/dev/zero", path).unwrap();
        }),
        ("ca.pem", |path| {
            fs::remove_file(path).unwrap();
            symlink("/data/accounts.toml", path).unwrap();
        }),
    ];
    for (name, plant) in plants {
        assert_eq!(appliance.stop(), Some(0));
        plant(&tls.join(name));
        lchown(tls.join(name), Some(STEWARD.0), Some(STEWARD.1)).unwrap();
        appliance.start_again();
        assert_eq!(owner(&volume.join("accounts.toml")), (0, SHARED), "{name}");
        let certificate = fs::symlink_metadata(tls.join("certificate.pem")).unwrap();
        assert!(certificate.is_file() && certificate.len() < 1 << 20, "{name}");
    }
}

#[test]
fn mounted_files_are_read_whatever_their_owner_and_mode() {
    let container = Container::new()
        .unset("MAIL_USERS")
        .set("MAIL_USERS_FILE", "/run/secrets/users")
        .set("MAIL_RELAY_URL_FILE", "/run/secrets/relay")
        .set("MAIL_RELAY_CA_FILE", "/certificates/relay-ca.pem")
        .before("mkdir run/secrets certificates certificates/archive")
        .before("echo ann@example.org:correct-horse > run/secrets/users")
        .before("echo submissions://ann:secret@smtp.example.net > run/secrets/relay")
        .before("cp etc/ssl/certs/ca-certificates.crt certificates/archive/relay-ca1.pem")
        .before("ln -s archive/relay-ca1.pem certificates/relay-ca.pem")
        .before("chmod 400 run/secrets/* certificates/archive/*; chown -R 1000:1000 run/secrets certificates")
        .before("chmod 700 certificates certificates/archive");
    let appliance = container.serve();
    appliance.inside(|| appliance.services().imap_client(0));
    assert_eq!(owner(&appliance.path("/run/mailstead/relay-ca.pem")), (0, MTA.1));
}
