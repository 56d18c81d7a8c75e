//! The actions that a launched role can still perform, and those that it cannot, tried one by one.
//!
//! This program takes the place of `mailstead`: it starts itself as `launch …`, which drops all privileges and executes
//! it again under a role that makes one attempt and reports how it ended. So it has a `main` of its own.
//!
//! Those attempts need some code. In addition there are tables of plain system calls, made from inside each role
//! (`sandbox/calls.rs`).
#![expect(clippy::unwrap_used, reason = "a helper of a test may panic")]

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode};

#[cfg(target_arch = "x86_64")]
#[path = "sandbox/calls.rs"]
mod calls;

use clap::Parser;
use handover::notice::{MAX_LEN, Notice, SANDBOX, SANDBOX_LACKS};
use nix::errno::Errno;
use nix::sched::CloneFlags;
use nix::sys::signal::Signal;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use nix::unistd::{Gid, Pid, Uid};
use supervisor::init::launch::rules::Rules;
use supervisor::init::launch::{self, DaemonUser, Launch, OURSELVES};
use supervisor::init::role::Role;
use supervisor::volume::Owner;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    launch: Launch,
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match arguments.first().and_then(|role| role.to_str()) {
        Some("launch") => launch::run(&CommandLine::parse_from(&arguments).launch),
        // The configuration is the name of the attempt.
        Some(role) if Role::START_ORDER.iter().any(|started| started.name() == role) => {
            attempt(arguments[2].to_str().unwrap())
        }
        _ => {
            every_attempt_ends_as_it_should();
            println!("test every_attempt_ends_as_it_should ... ok");
            #[cfg(target_arch = "x86_64")]
            {
                calls::no_role_exceeds_its_row();
                println!("test no_role_exceeds_its_row ... ok");
            }
            ExitCode::SUCCESS
        }
    }
}

/// The end of an attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    Works,
    /// The kernel refuses it with this error, and the role continues.
    Refused(Errno),
    /// The kernel kills the role.
    Killed,
}

use Outcome::{Killed, Refused, Works};

/// The launcher's name for enforcement by seccomp.
const SECCOMP: &str = "seccomp";
const FILES: &str = "files";
const TCP: &str = "TCP ports";

/// The attempt, the mechanism that restricts it, and its end.
const ATTEMPTS: [(&str, &str, Outcome); 26] = [
    // Access that its work needs.
    ("read /config", FILES, Works),
    ("write /queue/tmp/new", FILES, Works),
    ("move /queue/tmp/moving /queue/messages/moved", FILES, Works),
    ("fold /queue/new", FILES, Works),
    ("connect allowed", TCP, Works),
    ("connect socket", FILES, Works),
    ("ask", SECCOMP, Works),
    ("work", SECCOMP, Works),
    ("sealed work", SECCOMP, Works),
    // Files of others, although their permissions allow access to all.
    ("read /secret/open", FILES, Refused(Errno::EACCES)),
    ("write /secret/new", FILES, Refused(Errno::EACCES)),
    ("write /config.new", FILES, Refused(Errno::EACCES)),
    ("move /queue/tmp/moving /secret/moved", FILES, Refused(Errno::EACCES)),
    ("execute /bin/true", FILES, Refused(Errno::EACCES)),
    // The network.
    ("connect other", TCP, Refused(Errno::EACCES)),
    ("listen", TCP, Refused(Errno::EACCES)),
    ("packets", SECCOMP, Refused(Errno::ENOSYS)),
    // Other programs and processes.
    ("sealed execute itself", SECCOMP, Refused(Errno::EPERM)),
    ("signal 1", SECCOMP, Refused(Errno::ENOSYS)),
    ("trace", SECCOMP, Killed),
    // Other users and namespaces.
    ("become root", SECCOMP, Killed),
    ("unshare", SECCOMP, Killed),
    ("mount", SECCOMP, Killed),
    ("chroot", SECCOMP, Killed),
    ("own /queue/tmp/moving", SECCOMP, Refused(Errno::ENOSYS)),
    ("set the name of the machine", SECCOMP, Killed),
];

fn every_attempt_ends_as_it_should() {
    let fixture = Fixture::new();
    for (attempt, feature, expected) in ATTEMPTS {
        let (outcome, notice) = fixture.launch(Role::Mta, attempt);
        let enforced = &notice.facts[SANDBOX];
        let lacks = &notice.facts[SANDBOX_LACKS];
        if enforced.contains(feature) {
            assert_eq!(outcome, expected, "{attempt} under {enforced}");
        } else {
            // An old kernel: the attempt proves nothing, and the launcher must have reported that.
            assert!(!lacks.is_empty(), "{feature} is not enforced and not reported as missing");
            println!("not enforced by this kernel, {lacks} is lacking: {attempt}");
        }
    }
}

/// The folders and the peers that the attempts use.
struct Fixture {
    folder: tempfile::TempDir,
    notices: UnixDatagram,
    _socket: UnixListener,
    allowed: TcpListener,
    other: TcpListener,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        let listener = || TcpListener::bind("127.0.0.1:0").unwrap();
        for name in ["", "queue", "queue/tmp", "queue/messages", "secret"] {
            let path = path(name);
            fs::create_dir_all(&path).unwrap();
            // Open to all users: a refusal has another reason than the permissions.
            fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        }
        for name in ["config", "secret/open"] {
            fs::write(path(name), name).unwrap();
            fs::set_permissions(path(name), fs::Permissions::from_mode(0o644)).unwrap();
        }
        let notices = UnixDatagram::bind(path("notify.sock")).unwrap();
        let socket = UnixListener::bind(path("lmtp.sock")).unwrap();
        for name in ["notify.sock", "lmtp.sock"] {
            fs::set_permissions(path(name), fs::Permissions::from_mode(0o666)).unwrap();
        }
        Self { notices, _socket: socket, allowed: listener(), other: listener(), folder }
    }

    /// Launches a role that makes the attempt. Also returns the launcher's notice.
    fn launch(&self, role: Role, attempt: &str) -> (Outcome, Notice) {
        fs::write(self.folder.path().join("queue/tmp/moving"), "").unwrap();
        let output = self.command(role, attempt).output().unwrap();
        let notice = self.notice();
        let printed = String::from_utf8(output.stdout).unwrap();
        let outcome = match (output.status.signal(), printed.trim().parse()) {
            (Some(signal), _) if signal == Signal::SIGSYS as i32 => Killed,
            (None, Ok(0)) => Works,
            (None, Ok(errno)) => Refused(Errno::from_raw(errno)),
            _ => panic!("{attempt}: {}, {printed}{}", output.status, String::from_utf8_lossy(&output.stderr)),
        };
        (outcome, notice)
    }

    /// The notice of the launcher.
    fn notice(&self) -> Notice {
        let mut datagram = [0; MAX_LEN];
        let octets = self.notices.recv(&mut datagram).unwrap();
        Notice::parse(&datagram[..octets])
    }

    /// The command that launches a role.
    fn command(&self, role: Role, attempt: &str) -> Command {
        let folder = self.folder.path();
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let rules = Rules {
            read: vec![folder.join("config")],
            write: vec![folder.join("queue")],
            connect: [port(&self.allowed)].into(),
        };
        let other = Owner { user: Uid::from_raw(4242), group: Gid::from_raw(4242) };
        let user = Uid::effective().is_root().then_some(DaemonUser { owner: other, group: None });
        let program = launch::program(role, Path::new(attempt), user, &rules);
        let mut command = Command::new(&program.path);
        command
            .args(&program.arguments)
            .env("NOTIFY_SOCKET", folder.join("notify.sock"))
            .env("FOLDER", folder)
            .env("ALLOWED", port(&self.allowed).to_string())
            .env("OTHER", port(&self.other).to_string());
        command
    }
}

/// The role: makes the attempt and prints the number of the error, 0 if it works.
fn attempt(attempt: &str) -> ExitCode {
    let errno = match make(attempt) {
        Ok(()) => 0,
        Err(error) => error.raw_os_error().unwrap_or_else(|| panic!("{attempt}: {error}")),
    };
    println!("{errno}");
    ExitCode::SUCCESS
}

fn make(attempt: &str) -> io::Result<()> {
    let folder = std::env::var("FOLDER").unwrap();
    let at = |path: &str| format!("{folder}{path}");
    let port = |name| std::env::var(name).unwrap().parse::<u16>().unwrap();
    match attempt.split(' ').collect::<Vec<_>>()[..] {
        ["read", path] => fs::read(at(path)).map(drop),
        ["write", path] => fs::write(at(path), "new"),
        ["move", from, to] => fs::rename(at(from), at(to)),
        ["fold", path] => fs::create_dir(at(path)).and_then(|()| fs::remove_dir(at(path))),
        ["execute", path] => Command::new(path).status().map(drop),
        ["connect", "allowed"] => TcpStream::connect(("127.0.0.1", port("ALLOWED"))).map(drop),
        ["connect", "other"] => TcpStream::connect(("127.0.0.1", port("OTHER"))).map(drop),
        ["connect", "socket"] => UnixStream::connect(at("/lmtp.sock")).map(drop),
        ["listen"] => TcpListener::bind("127.0.0.1:0").map(drop),
        ["ask"] => UdpSocket::bind("127.0.0.1:0")?.send_to(b"a question", ("127.0.0.1", 53)).map(drop),
        ["packets"] => {
            Ok(socket(AddressFamily::Packet, SockType::Datagram, SockFlag::empty(), None).map(drop)?)
        }
        // Until the other end is closed: meanwhile calls are injected.
        ["wait"] => {
            launch::seal()?;
            println!("sealed");
            io::stdin().read_line(&mut String::new()).map(drop)
        }
        ["work"] => work(),
        ["sealed", "work"] => launch::seal().and_then(|()| work()),
        ["sealed", "execute", _] => {
            launch::seal()?;
            Err(std::os::unix::process::CommandExt::exec(&mut Command::new(OURSELVES)))
        }
        ["signal", number] => Ok(nix::sys::signal::kill(Pid::from_raw(number.parse().unwrap()), None)?),
        ["trace"] => Ok(nix::sys::ptrace::traceme()?),
        ["become", _] => Ok(nix::unistd::setuid(Uid::from_raw(0))?),
        ["unshare"] => Ok(nix::sched::unshare(CloneFlags::CLONE_NEWUSER)?),
        ["mount"] => Ok(nix::mount::mount(
            Some("none"),
            folder.as_str(),
            Some("tmpfs"),
            nix::mount::MsFlags::empty(),
            None::<&str>,
        )?),
        ["chroot"] => Ok(nix::unistd::chroot(folder.as_str())?),
        ["own", path] => std::os::unix::fs::chown(at(path), Some(0), Some(0)),
        ["set", ..] => Ok(nix::unistd::sethostname("elsewhere")?),
        _ => panic!("no such attempt: {attempt}"),
    }
}

/// Performs the usual work of a daemon: a runtime with threads, timers, sockets and signals, and random numbers.
fn work() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
        let blocked = tokio::task::spawn_blocking(|| fs::read("/proc/self/status"));
        tokio::select! {
            _ = hangup.recv() => {}
            () = tokio::time::sleep(std::time::Duration::from_millis(1)) => {}
        }
        blocked.await?.map(drop)
    })?;
    aws_lc_rs::rand::fill(&mut [0; 8]).map_err(io::Error::other)
}
