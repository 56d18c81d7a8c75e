//! The resources that a daemon is given and those that it is not, and the destination of the log.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::appliance::{Appliance, Container};
use tests::wait;

/// The C library's own signals, 32 and 33 (nptl(7)).
const C_LIBRARYS_OWN: u64 = 0b11 << 31;

const ROLES: [&str; 3] = ["steward", "mda", "mta"];

/// A field of `/proc/PID/status`.
fn field(pid: Pid, name: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let found = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    found.unwrap_or_else(|| panic!("no {name} in\n{status}")).trim().to_owned()
}

/// The bits of a set of signals.
fn signals(pid: Pid, name: &str) -> u64 {
    u64::from_str_radix(&field(pid, name), 16).unwrap()
}

/// The targets of its descriptors, in their order, without the parts that make each unique.
fn descriptors(pid: Pid) -> Vec<(i32, String)> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let mut found: Vec<(i32, String)> = entries
        .map(|entry| {
            let entry = entry.unwrap();
            let target = fs::read_link(entry.path()).unwrap_or_default();
            (entry.file_name().to_str().unwrap().parse().unwrap(), target.to_string_lossy().into_owned())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn child_state() {
    let appliance = Container::new().serve();
    let mut users = Vec::new();
    for role in ROLES {
        let pid = appliance.role(role);
        let value = |name| field(pid, name);
        let [real, effective, saved, file] =
            value("Uid").split_whitespace().map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
        assert!(
            real != "0" && [&effective, &saved, &file].iter().all(|uid| **uid == real),
            "{role} is {real}"
        );
        users.push(real);
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(u64::from_str_radix(&value(set), 16).unwrap(), 0, "{role} has something in {set}");
        }
        assert_eq!((value("NoNewPrivs").as_str(), value("Seccomp").as_str()), ("1", "2"), "{role}");
        // The launcher installs two filters, the daemon one.
        assert_eq!(value("Seccomp_filters"), "3", "{role}");
        assert_eq!(signals(pid, "SigBlk"), 0, "{role} blocks signals");
        // The standard library has arranged that writing to a reader that is gone is an error and not the end. The C
        // library has two signals of its own, which only it can touch; whether a child begins with them ignored depends
        // on the state of its parent's threads when it was started.
        let ignored = signals(pid, "SigIgn") & !C_LIBRARYS_OWN;
        assert_eq!(ignored, 1 << (Signal::SIGPIPE as i32 - 1), "{role} ignores signals");
        let listening = sockets_of(pid, &appliance);
        let expected = match role {
            "steward" => vec!["80", "443", "8025"],
            "mda" => vec!["143", "993", "lmtp.sock"],
            _ => vec!["25", "465", "587"],
        };
        for wanted in &expected {
            assert!(
                listening.iter().any(|found| found.ends_with(wanted)),
                "{role} lacks {wanted}: {listening:?}"
            );
        }
        assert!(listening.len() <= expected.len() + 1, "{role} has more than {expected:?}: {listening:?}");
        let strangers: Vec<_> = descriptors(pid)
            .into_iter()
            .filter(|(_, target)| {
                // Its standard three, its sockets, its runtime, its own files.
                !["socket:", "anon_inode:", "pipe:", "/data/"].iter().any(|known| target.starts_with(known))
                    && !["/dev/null", "/appliance.log"].iter().any(|known| target.ends_with(known))
            })
            .collect();
        assert!(strangers.is_empty(), "{role} holds {strangers:?}");
    }
    users.sort();
    users.dedup();
    assert_eq!(users.len(), 3, "two daemons are the same user");
    // Each reads its own memory use from the kernel, which no other process here may do.
    wait::until_true("every process reports its memory", || {
        let numbers = numbers(&appliance);
        ROLES.iter().chain(&["process-1"]).all(|process| {
            numbers.contains(&format!(
                "mailstead_process_memory_bytes{{process=\"{process}\",kind=\"anonymous\"}} "
            ))
        })
    });
    let log = appliance.log();
    for role in ROLES {
        assert!(
            log.lines()
                .any(|line| line.contains("sandboxed") && line.contains(role) && line.contains("seccomp")),
            "the log does not say what is enforced on the {role}:\n{log}"
        );
    }
}

/// The page for Prometheus.
fn numbers(appliance: &Appliance) -> String {
    let health = appliance.services().address("health");
    appliance.inside(|| {
        let mut connection = TcpStream::connect(health).unwrap();
        connection.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    })
}

/// The listening sockets among a process's descriptors: ports and paths.
fn sockets_of(pid: Pid, appliance: &Appliance) -> Vec<String> {
    let inodes: Vec<String> = descriptors(pid)
        .into_iter()
        .filter_map(|(_, target)| Some(target.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let read = |name: &str| fs::read_to_string(format!("/proc/{}/net/{name}", appliance.init())).unwrap();
    let mut found = Vec::new();
    for table in ["tcp", "tcp6"] {
        for line in read(table).lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // The fourth is the state, 0A for listening, and the tenth the inode.
            if fields[3] == "0A" && inodes.iter().any(|inode| inode == fields[9]) {
                let (_, port) = fields[1].rsplit_once(':').unwrap();
                found.push(u16::from_str_radix(port, 16).unwrap().to_string());
            }
        }
    }
    for line in read("unix").lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // The fourth are flags, of which 00010000 is set while it listens.
        if fields[3] == "00010000" && inodes.iter().any(|inode| inode == fields[6]) {
            found.push(fields.get(7).unwrap_or(&"").to_string());
        }
    }
    found
}

const MIN_PIPE: i32 = 4096;

/// A pipe for its output, and its reading end.
fn with_pipe(container: &Container) -> (std::process::Child, std::io::PipeReader) {
    let (reader, writer) = std::io::pipe().unwrap();
    // As small as possible, so that it is full soon.
    fcntl(&writer, FcntlArg::F_SETPIPE_SZ(MIN_PIPE)).unwrap();
    let error = OwnedFd::from(writer.try_clone().unwrap());
    let child = container
        .command()
        .stdin(Stdio::null())
        .stdout(Stdio::from(OwnedFd::from(writer)))
        .stderr(error)
        .spawn();
    (child.unwrap(), reader)
}

#[test]
fn stdio_reader_slow() {
    // Every step is logged and the log is not read: the pipe is full long before it serves.
    let container = Container::new().set("MAIL_LOG", "trace");
    let (child, mut reader) = with_pipe(&container);
    let mut appliance = Appliance::adopt(child, container);
    appliance.await_ready();
    appliance.inside(|| {
        let mut stranger = appliance.services().smtp_client();
        // Each logs some lines.
        for _ in 0..2000 {
            stranger.command("NOOP").unwrap().expect(250);
        }
    });
    appliance.kill_and_await("mda");
    assert!(appliance.is_healthy());
    appliance.signal(Signal::SIGTERM);
    assert_eq!(appliance.await_end(), Some(0));
    let mut text = Vec::new();
    reader.read_to_end(&mut text).unwrap();
    // The next line did not fit any more.
    assert!(text.len() >= MIN_PIPE as usize / 2, "the pipe was not full");
}

#[test]
fn stdio_reader_gone() {
    let container = Container::new();
    let (child, reader) = with_pipe(&container);
    drop(reader);
    let mut appliance = Appliance::adopt(child, container);
    appliance.await_ready();
    appliance.kill_and_await("mta");
    wait::until_true("it is healthy", || appliance.is_healthy());
    assert_eq!(appliance.stop(), Some(0));
}
