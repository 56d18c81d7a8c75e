//! The reach of a compromised daemon: its files, its ports and its neighbours, tried from inside the running daemons
//! and compared with the table of `ARCHITECTURE.md` ("Who runs as whom").

use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

use nix::errno::Errno;
use nix::libc::*;
use nix::unistd::Pid;
use tests::appliance::{Appliance, Container};
use tests::compartment::Compartment;
use tests::injection::{Injection, Outcome};

const ROLES: [&str; 3] = ["steward", "mda", "mta"];

const STRANGER: &[u8] = b"stranger";

/// Each folder that a row may name, and a file in it.
const FOLDERS: [(&str, &str); 6] = [
    ("mail/", "/data/mail/example.org/planted"),
    ("index/", "/data/index/planted"),
    ("queue/", "/data/queue/planted"),
    ("acme/", "/data/acme/planted"),
    ("tls/", "/data/tls/key.pem"),
    ("dkim/", "/data/dkim/planted"),
];

/// Each file that a row may name; a configuration is the role's own alone.
const FILES: [(&str, &str); 9] = [
    ("accounts.toml", "/data/accounts.toml"),
    ("settings.toml", "/data/settings.toml"),
    ("lock", "/data/lock"),
    ("accounts.lock", "/data/accounts.lock"),
    ("status.json", "/run/mailstead/status.json"),
    ("presence.toml", "/run/mailstead/presence.toml"),
    ("steward.toml", "/run/mailstead/steward.toml"),
    ("mda.toml", "/run/mailstead/mda.toml"),
    ("mta.toml", "/run/mailstead/mta.toml"),
];

/// The number of a process inside the container.
fn number_inside(process: Pid) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap();
    numbers.split_whitespace().last().unwrap().parse().unwrap()
}

fn at(injection: &mut Injection, path: &str, flags: i32) -> Outcome {
    let path = injection.text(path);
    let outcome =
        injection.call(SYS_openat, &[AT_FDCWD as u64, path, u64::from(flags.cast_unsigned()), 0o600]);
    if let Outcome::Returned(descriptor) = outcome {
        injection.call(SYS_close, &[descriptor.cast_unsigned()]);
    }
    outcome
}

fn works(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Returned(_) => true,
        // By the rights of the users, or by the kernel's rules.
        Outcome::Refused(Errno::EACCES | Errno::EPERM) => false,
        other => panic!("neither allowed nor refused: {other:?}"),
    }
}

fn reaches_its_own_files_alone(role: &str, row: &Compartment, injection: &mut Injection) {
    for (folder, file) in FOLDERS {
        let writes = row.has("may write", folder);
        let reads = writes || row.has("may read besides its configuration", folder);
        assert_eq!(works(at(injection, file, O_RDONLY)), reads, "{role} reads {file}");
        assert_eq!(works(at(injection, file, O_WRONLY)), writes, "{role} writes {file}");
        let made = format!("/data/{folder}made-by-{role}");
        assert_eq!(works(at(injection, &made, O_WRONLY | O_CREAT)), writes, "{role} makes {made}");
    }
    for (name, file) in FILES {
        let reads = row.has("may read besides its configuration", name) || name == format!("{role}.toml");
        assert_eq!(works(at(injection, file, O_RDONLY)), reads, "{role} reads {file}");
        assert!(!works(at(injection, file, O_WRONLY)), "{role} writes {file}");
    }
    let reads_etc = row.has("may read besides its configuration", "/etc");
    assert_eq!(works(at(injection, "/etc/passwd", O_RDONLY)), reads_etc, "{role} reads /etc");
    for made in ["/data/made", "/run/mailstead/made", "/run/made"] {
        assert!(!works(at(injection, made, O_WRONLY | O_CREAT)), "{role} makes {made}");
    }
}

/// `struct sockaddr_in` for a port of this machine.
fn loopback(port: u16) -> [u8; 16] {
    let mut address = [0; 16];
    address[..2].copy_from_slice(&(AF_INET as u16).to_ne_bytes());
    address[2..4].copy_from_slice(&port.to_be_bytes());
    address[4..8].copy_from_slice(&[127, 0, 0, 1]);
    address
}

fn reaches_its_own_ports_alone(role: &str, row: &Compartment, injection: &mut Injection) {
    let ports = row.cell("connects to TCP ports");
    let make =
        |injection: &mut Injection, kind: i32| injection.call(SYS_socket, &[AF_INET as u64, kind as u64, 0]);
    if ports == "none" {
        for kind in [SOCK_STREAM, SOCK_DGRAM] {
            assert_eq!(make(injection, kind), Outcome::Refused(Errno::ENOSYS), "{role}");
        }
        return;
    }
    for port in [22, 25, 53, 80, 110, 143, 443, 993, 3306, 8080] {
        let is_of_row = match port {
            53 => ports.contains("DNS"),
            143 | 993 => ports.contains("our own"),
            port => ports.split(", ").any(|listed| listed == port.to_string()),
        };
        let Outcome::Returned(socket) = make(injection, SOCK_STREAM) else {
            panic!("{role} makes no socket")
        };
        let address = injection.octets(&loopback(port));
        let outcome = injection.call(SYS_connect, &[socket.cast_unsigned(), address, 16]);
        let is_tried = matches!(outcome, Outcome::Returned(_) | Outcome::Refused(Errno::ECONNREFUSED));
        assert!(
            is_tried || outcome == Outcome::Refused(Errno::EACCES),
            "{role} connects to {port}: {outcome:?}"
        );
        assert_eq!(is_tried, is_of_row, "{role} connects to {port}: {outcome:?}");
        injection.call(SYS_close, &[socket.cast_unsigned()]);
        // None serves on a port of its own.
        let Outcome::Returned(socket) = make(injection, SOCK_STREAM) else {
            panic!("{role} makes no socket")
        };
        let address = injection.octets(&loopback(port + 10_000));
        let bound = injection.call(SYS_bind, &[socket.cast_unsigned(), address, 16]);
        assert_eq!(bound, Outcome::Refused(Errno::EACCES), "{role} binds {}", port + 10_000);
        injection.call(SYS_close, &[socket.cast_unsigned()]);
    }
}

fn signals_no_other(role: &str, injection: &mut Injection, others: &[u64]) {
    for other in others {
        for call in [SYS_kill, SYS_tkill] {
            let outcome = injection.call(call, &[*other, 0]);
            assert_eq!(outcome, Outcome::Refused(Errno::ENOSYS), "{role} signals {other}");
        }
        for signal in [0, SIGTERM, SIGKILL, SIGABRT, 40] {
            let is_abort_of_itself = number_inside(injection.process()) == *other && signal == SIGABRT;
            if !is_abort_of_itself {
                let outcome = injection.call(SYS_tgkill, &[*other, *other, signal as u64]);
                assert_eq!(outcome, Outcome::Refused(Errno::ENOSYS), "{role} signals {other} with {signal}");
            }
        }
        let outcome = injection.call(SYS_prlimit64, &[*other, 7, 0, 0]);
        let is_itself = *other == 0;
        assert_eq!(
            outcome == Outcome::Refused(Errno::ENOSYS),
            !is_itself,
            "{role} looks at limits of {other}"
        );
    }
}

/// Connects to the sockets of other daemons.
fn connects_to_no_other_daemon(role: &str, injection: &mut Injection) {
    for (path, of) in [("lmtp.sock", "mta"), ("mta-metrics.sock", "steward"), ("mda-metrics.sock", "steward")]
    {
        let Outcome::Returned(socket) = injection.call(SYS_socket, &[AF_UNIX as u64, SOCK_STREAM as u64, 0])
        else {
            panic!("{role} makes no socket");
        };
        let path = format!("/run/mailstead/{path}\0");
        let address = [&(AF_UNIX as u16).to_ne_bytes(), path.as_bytes()].concat();
        let length = address.len() as u64;
        let address = injection.octets(&address);
        let outcome = injection.call(SYS_connect, &[socket.cast_unsigned(), address, length]);
        assert_eq!(
            matches!(outcome, Outcome::Returned(_)),
            role == of,
            "{role} connects to {path}: {outcome:?}"
        );
        injection.call(SYS_close, &[socket.cast_unsigned()]);
    }
}

/// Connects to a socket with an abstract name, which no file mode protects, of a process outside the sandbox.
fn connects_to_no_abstract_name(role: &str, injection: &mut Injection, name: &[u8]) {
    let Outcome::Returned(socket) = injection.call(SYS_socket, &[AF_UNIX as u64, SOCK_STREAM as u64, 0])
    else {
        panic!("{role} makes no socket");
    };
    let address = [&(AF_UNIX as u16).to_ne_bytes(), &b"\0"[..], name].concat();
    let length = address.len() as u64;
    let address = injection.octets(&address);
    let outcome = injection.call(SYS_connect, &[socket.cast_unsigned(), address, length]);
    let expected = if role == "mda" { Errno::ENOSYS } else { Errno::EPERM };
    assert_eq!(outcome, Outcome::Refused(expected), "{role} connects to an abstract name");
    injection.call(SYS_close, &[socket.cast_unsigned()]);
}

fn plant(appliance: &Appliance) {
    let volume = appliance.volume();
    for (folder, file) in FOLDERS {
        let path = volume.join(file.strip_prefix("/data/").unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if !path.exists() {
            let of_folder = fs::metadata(volume.join(folder)).unwrap();
            use std::os::unix::fs::{MetadataExt, PermissionsExt};
            fs::write(&path, "planted").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            for path in [&path, path.parent().unwrap()] {
                std::os::unix::fs::chown(path, Some(of_folder.uid()), Some(of_folder.gid())).unwrap();
            }
        }
    }
}

#[test]
fn a_compromised_daemon_reaches_only_its_own_row() {
    let appliance = Container::new().serve();
    assert!(
        appliance.log().contains("Landlock") && appliance.log().contains("signals"),
        "without the kernel's rules about ports this proves nothing:\n{}",
        appliance.log()
    );
    plant(&appliance);
    let _stranger = appliance.inside(|| {
        let stranger = UnixListener::bind_addr(&SocketAddr::from_abstract_name(STRANGER).unwrap()).unwrap();
        UnixStream::connect_addr(&stranger.local_addr().unwrap()).unwrap();
        stranger
    });
    let mut processes: Vec<u64> = ROLES.iter().map(|role| number_inside(appliance.role(role))).collect();
    processes.push(1);
    for role in ROLES {
        let row = Compartment::of(role);
        let mut injection = Injection::into(appliance.role(role));
        reaches_its_own_files_alone(role, &row, &mut injection);
        reaches_its_own_ports_alone(role, &row, &mut injection);
        signals_no_other(role, &mut injection, &processes);
        connects_to_no_other_daemon(role, &mut injection);
        connects_to_no_abstract_name(role, &mut injection, STRANGER);
        let user = injection.call(SYS_getuid, &[]);
        let named = match row.cell("user") {
            cell if cell.contains("(5000)") => 5000,
            cell if cell.contains("(5001)") => 5001,
            _ => 5002,
        };
        assert_eq!(user, Outcome::Returned(named), "{role}");
    }
    // Each continued where it was.
    for role in ROLES {
        assert_eq!(appliance.restarts(role), 0, "{role}");
    }
    appliance.inside(|| appliance.services().imap_client(0));
}
