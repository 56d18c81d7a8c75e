//! A start that cannot succeed reports the reason in a line and ends with a status of its own; one that can, does.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use tests::appliance::{Appliance, Container};
use tests::smtp::message;
use tests::wait;

const STRANGER: &str = "stranger@example.com";

/// All files below a folder, with their contents, owners and modes.
fn contents(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32, u32)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let octets = if metadata.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        if metadata.is_dir() {
            found.extend(contents(&path));
        }
        found.insert(path, (octets, metadata.uid(), metadata.mode()));
    }
    found
}

/// Ends with that status, has all these words in its last lines, and has changed nothing on the volume.
#[track_caller]
fn refuses(container: &Container, status: i32, words: &[&str]) {
    let before = contents(&container.volume());
    let (ended, log) = container.run_refused();
    assert_eq!(ended, Some(status), "{log}");
    for word in words {
        assert!(log.contains(word), "{word:?} is not logged:\n{log}");
    }
    assert!(!log.contains("panicked"), "{log}");
    assert_eq!(contents(&container.volume()), before, "the volume was changed");
}

/// Accepts a message and shows it.
#[track_caller]
fn serves_mail(appliance: &Appliance, subject: &str) {
    let services = appliance.services();
    appliance.inside(|| {
        let to = services.user(0);
        let letter = message(STRANGER, to, subject);
        services.smtp_client().mail(STRANGER, &[to], &letter).unwrap().expect(250);
        services.await_message(0, subject);
    });
}

#[test]
fn exit_codes_settings() {
    refuses(
        &Container::new()
            .set("MAIL_DOMAIN", "no domain")
            .set("MAIL_MESSAGE_SIZE", "huge")
            .set("MAIL_HOSTNAM", "x"),
        64,
        &["MAIL_DOMAIN", "MAIL_MESSAGE_SIZE", "MAIL_HOSTNAM", "MAIL_HOSTNAME"],
    );
    let file = Container::new().unset("MAIL_USERS").set("MAIL_USERS_FILE", "/run/secrets/users");
    refuses(&file, 64, &["MAIL_USERS_FILE", "/run/secrets/users"]);
    let folder = Container::new().unset("MAIL_USERS").set("MAIL_USERS_FILE", "/etc");
    refuses(&folder, 64, &["MAIL_USERS_FILE", "/etc"]);
}

#[test]
fn exit_codes_port_in_use() {
    let listen = "perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 25, Listen => 1) or die; \
                  open(F, \">tmp/up\"); close F; sleep 600' & until [ -e tmp/up ]; do sleep 0.02; done";
    // Its runtime folder on the volume, to be inspected afterwards.
    let container = Container::new().before("mkdir data/run; ln -s /data/run run/mailstead").before(listen);
    let (status, log) = container.run_refused();
    assert_eq!(status, Some(69), "{log}");
    assert!(log.contains("port 25 ") && log.contains("taken"), "{log}");
    let runtime = contents(&container.volume().join("run"));
    assert!(runtime.is_empty(), "the other server's socket was replaced: {:?}", runtime.keys());
}

#[test]
fn a_second_server_on_the_volume_is_refused_without_side_effects() {
    let mut appliance = Container::new().serve();
    // The operator has forgotten the command's name, in the container…
    let environment = fs::read(format!("/proc/{}/environ", appliance.init())).unwrap();
    let environment = String::from_utf8(environment).unwrap();
    let variables = environment.split('\0').filter_map(|variable| variable.split_once('='));
    let before = contents(&appliance.path("/run/mailstead")).into_keys().collect::<Vec<_>>();
    let forgotten = appliance.enter(&["/bin/mailstead"]).envs(variables).output().unwrap();
    let errors = String::from_utf8_lossy(&forgotten.stderr);
    assert_eq!(forgotten.status.code(), Some(72), "{errors}");
    assert!(errors.contains("already runs") && errors.contains("mailstead health"), "{errors}");
    assert_eq!(contents(&appliance.path("/run/mailstead")).into_keys().collect::<Vec<_>>(), before);

    // …and the volume has been given to another container.
    let share = format!("mount --bind {} data", appliance.volume().display());
    let second = Container::new().before(&share);
    let (status, log) = second.run_refused();
    assert_eq!(status, Some(72), "{log}");
    assert!(log.contains("a volume of its own"), "{log}");
    serves_mail(&appliance, "undisturbed");

    // A killed server does not block the next start.
    appliance.signal(Signal::SIGKILL);
    appliance.await_end();
    appliance.start_again();
    serves_mail(&appliance, "after-the-kill");
    assert_eq!(appliance.stop(), Some(0));
}

/// True if process 1 reports that this port is missing.
fn misses(appliance: &Appliance, port: u16) -> bool {
    let concerns = appliance.status().map(|status| status.concerns).unwrap_or_default();
    concerns.iter().any(|concern| concern.problem.starts_with(&format!("port {port} ")))
}

#[test]
fn occupied_web_ports_are_tolerated_and_bound_once_free() {
    // Another web server, which ends when its file is removed.
    let listen = "perl -MIO::Socket::INET -e '@s = map { IO::Socket::INET->new(LocalPort => $_, Listen => 1) or die } \
                  80, 443; open(F, \">tmp/up\"); close F; select(undef, undef, undef, 0.05) while -e \"tmp/up\"' & \
                  until [ -e tmp/up ]; do sleep 0.02; done";
    let mut appliance = Container::new().before(listen).serve();
    serves_mail(&appliance, "without-a-web");
    assert!(misses(&appliance, 80) && misses(&appliance, 443));

    fs::remove_file(appliance.path("/tmp/up")).unwrap();
    wait::until_true("the ports are ours", || !misses(&appliance, 80) && !misses(&appliance, 443));
    let services = appliance.services();
    let http = services.address("http");
    appliance.inside(|| {
        // A client that connects while the steward restarts waits in the queue of the socket.
        let mut stream = TcpStream::connect(http).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: mail.example.org\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
        TcpStream::connect((http.ip(), 443)).unwrap();
    });
    for port in [80, 443] {
        let log = appliance.log();
        let bound_lines =
            log.lines().filter(|line| line.contains("bound") && line.contains(&format!("port={port}")));
        assert_eq!(bound_lines.count(), 1, "{log}");
    }
    assert_eq!((appliance.restarts("mta"), appliance.restarts("mda")), (0, 0), "mail went on");
    assert_eq!(appliance.stop(), Some(0));
}

#[test]
fn exit_codes_volume() {
    refuses(&Container::new().before("mount -o remount,bind,ro data"), 73, &["/data", "cannot be written"]);
    let newer = Container::new();
    fs::write(newer.volume().join("format"), "99\n").unwrap();
    refuses(&newer, 78, &["newer"]);
    // Missing accounts are not created again, or the users added by command would be lost.
    let used = Container::new();
    fs::write(used.volume().join("settings.toml"), "").unwrap();
    let (status, log) = used.run_refused();
    assert_eq!(status, Some(74), "{log}");
    assert!(log.contains("accounts.toml is missing or empty"), "{log}");
    // On an empty volume without room nothing can work.
    let full = Container::new().before("umount data; mount -t tmpfs -o size=8k full data");
    let (status, log) = full.run_refused();
    assert_eq!(status, Some(74), "{log}");
    assert!(log.contains("No space left"), "{log}");
}

#[test]
fn a_container_without_enough_rights_reports_what_to_add() {
    let as_somebody =
        "unset BEFORE; exec chroot \"$root\" /sbin/setpriv --reuid 1000 --clear-groups /bin/mailstead";
    for (lines, status, words) in [
        (as_somebody, 73, ["this process runs as user 1000", "leave `user:` or `--user` out"]),
        ("umount run", 73, ["/run/mailstead", "`--tmpfs /run`"]),
        ("ln -s /elsewhere data/mail", 74, ["/data/mail is a link to /elsewhere", "mount its target here"]),
    ] {
        let (ended, log) = Container::new().before(lines).run_refused();
        assert_eq!(ended, Some(status), "{log}");
        assert!(words.iter().all(|word| log.contains(word)), "{words:?} are not logged:\n{log}");
    }
}

#[test]
fn exit_codes_capabilities() {
    for capability in ["chown", "kill", "setgid", "setuid"] {
        let container = Container::new().without_capability(capability);
        refuses(&container, 77, &["cap_add", &capability.to_uppercase()]);
    }
    let container = Container::new().without_capability("net_bind_service");
    let (status, log) = container.run_refused();
    assert_eq!(status, Some(69), "{log}");
    assert!(log.contains("NET_BIND_SERVICE"), "{log}");
}

#[test]
fn exit_codes_users() {
    let container = Container::new();
    fs::write(container.etc().join("passwd"), "root:x:0:0::/:/sbin/nologin\n").unwrap();
    refuses(&container, 71, &["/etc/passwd", "mta"]);
    fs::remove_file(container.etc().join("passwd")).unwrap();
    refuses(&container, 71, &["/etc/passwd"]);
}

#[test]
fn bad_exec() {
    // The program finds itself in /proc; without it no daemon could be started.
    let container = Container::new().before("umount proc");
    let (status, log) = container.run_refused();
    assert_eq!(status, Some(71), "{log}");
    assert!(log.contains("/proc"), "{log}");
    assert!(!log.contains("started"), "{log}");
}

#[test]
fn a_full_volume_starts_and_defers_new_mail() {
    let mut appliance = Container::new().serve();
    serves_mail(&appliance, "before-it-was-full");
    assert_eq!(appliance.stop(), Some(0));
    appliance.before_next(
        "mkdir tmp/full; mount -t tmpfs -o size=4m full tmp/full; cp -a data/. tmp/full; umount data; \
         mount --move tmp/full data; dd if=/dev/zero of=data/ballast bs=4k 2>tmp/dd || true",
    );
    appliance.start_again();
    let services = appliance.services();
    appliance.inside(|| {
        let to = services.user(0);
        let letter = message(STRANGER, to, "too-much");
        let reply = services.smtp_client().mail(STRANGER, &[to], &letter).unwrap();
        assert!((400..500).contains(&reply.code), "{reply:?}");
        services.await_message(0, "before-it-was-full");
        // Room is made, and it continues.
        fs::remove_file(appliance.path("/data/ballast")).unwrap();
        wait::until_true("there is room", || {
            services.smtp_client().mail(STRANGER, &[to], &letter).unwrap().code == 250
        });
        services.await_message(0, "too-much");
    });
    assert_eq!(appliance.stop(), Some(0));
}

#[test]
fn a_volume_of_another_owner_is_taken_over() {
    let mut appliance = Container::new().serve();
    serves_mail(&appliance, "of-before");
    assert_eq!(appliance.stop(), Some(0));
    // Restored from a copy by a user that does not exist here.
    let volume = appliance.volume();
    for path in contents(&volume).into_keys() {
        chown(&path, Some(4242), Some(4242)).unwrap();
    }
    chown(&volume, Some(4242), Some(4242)).unwrap();
    appliance.start_again();
    let services = appliance.services();
    appliance.inside(|| services.await_message(0, "of-before"));
    serves_mail(&appliance, "of-after");
    let foreign: Vec<_> = contents(&volume).into_iter().filter(|(_, (_, uid, _))| *uid == 4242).collect();
    assert!(
        foreign.is_empty(),
        "still owned by the other user: {:?}",
        foreign.iter().map(|(path, _)| path).collect::<Vec<_>>()
    );
    assert_eq!(appliance.stop(), Some(0));
}

#[test]
fn restored_files_get_their_modes_back() {
    let mut appliance = Container::new().serve();
    let volume = appliance.volume();
    let before = contents(&volume);
    assert_eq!(appliance.stop(), Some(0));
    // As `cp` by root or a mistake with chmod leaves them.
    let of_dkim = before.keys().filter(|path| path.starts_with(volume.join("dkim/example.org")));
    let put_back = ["tls/key.pem", "tls/certificate.pem", "accounts.toml"].map(|name| volume.join(name));
    let put_back: Vec<PathBuf> = of_dkim.cloned().chain(put_back).collect();
    assert_eq!(put_back.len(), 6, "{put_back:?}");
    for path in &put_back {
        chown(path, Some(0), Some(0)).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }
    fs::set_permissions(volume.join("accounts.toml"), Permissions::from_mode(0o000)).unwrap();
    appliance.start_again();
    serves_mail(&appliance, "put-right");
    let after = contents(&volume);
    for path in &put_back {
        assert_eq!((after[path].1, after[path].2), (before[path].1, before[path].2), "{}", path.display());
        assert_ne!(fs::metadata(path).unwrap().gid(), 0, "{} is of no daemon's group", path.display());
    }
    assert_eq!(appliance.stop(), Some(0));
}

#[test]
fn files_of_future_and_past_versions_do_not_prevent_the_start() {
    let mut appliance = Container::new().serve();
    serves_mail(&appliance, "timely");
    for date in ["2091-01-01", "1971-01-01"] {
        assert_eq!(appliance.stop(), Some(0));
        let volume = appliance.volume();
        let touched =
            Command::new("find").arg(&volume).args(["-exec", "touch", "-d", date, "{}", "+"]).status();
        assert!(touched.unwrap().success());
        appliance.start_again();
        let services = appliance.services();
        appliance.inside(|| services.await_message(0, "timely"));
        serves_mail(&appliance, date);
    }
    assert_eq!(appliance.stop(), Some(0));
}

#[test]
fn without_a_resolver_it_starts_and_accepts_mail() {
    let container = Container::new().unset("MAIL_DNS_SERVERS");
    assert!(!container.etc().join("resolv.conf").exists());
    let mut appliance = container.serve();
    serves_mail(&appliance, "without-dns");
    assert_eq!(appliance.stop(), Some(0));
}
