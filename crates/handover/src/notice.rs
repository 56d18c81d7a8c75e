//! The notices of a daemon to process 1: that it is ready, that it stops, and facts about its work.
//!
//! The convention is that of `sd_notify(3)`: datagrams of `KEY=value` lines to the Unix socket in `NOTIFY_SOCKET`. Our
//! own facts begin with `X_`, as that page allows. A notice that cannot be sent is dropped and never makes a daemon
//! fail; only the notice of readiness is retried for a moment, since it is sent once.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use crate::Concern;

/// The longest datagram that process 1 reads.
pub const MAX_LEN: usize = 4096;

/// The interval at which a daemon reports that its runtime still works, in seconds.
pub const WATCHDOG_SECONDS: u64 = 2;

/// The longest problem and the longest fix that are sent, in characters: they may quote a peer. Both fit into one
/// datagram, whatever the characters are.
const MAX_TEXT: usize = 500;

/// The fact with the number of messages in the queue.
pub const QUEUE: &str = "X_QUEUE";

/// The fact that identifies the certificate on disk: the SHA-256 of its leaf in hexadecimal. When it changes, the
/// daemons are asked to reload it.
pub const CERTIFICATE: &str = "X_CERTIFICATE";

/// The fact with the arrival time of the queue's oldest message, in seconds since 1970; 0 if the queue is empty.
pub const QUEUE_SINCE: &str = "X_QUEUE_SINCE";
/// The fact that identifies the accounts that a daemon uses: the fingerprint of the file that it has read.
pub const ACCOUNTS: &str = "X_ACCOUNTS";

/// The notice of an operator's command to process 1: the accounts file has changed, and the daemons must reload it.
pub const ACCOUNTS_CHANGED: &str = "X_ACCOUNTS_CHANGED";

/// Sends one fact to the socket at `path`, and returns an error if that fails. For programs that are not daemons of
/// process 1.
pub fn send(path: &Path, key: &str, value: impl std::fmt::Display) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to(format!("{key}={value}").as_bytes(), path).map(drop)
}

/// The fact that lists what the kernel denies the daemon; the launcher sends it before the daemon runs.
pub const SANDBOX: &str = "X_SANDBOX";

/// The fact that lists what the kernel should deny the daemon and cannot.
pub const SANDBOX_LACKS: &str = "X_SANDBOX_LACKS";

/// The fact with the number of connections that came from the address of our own gateway.
pub const GATEWAY_COUNT: &str = "X_GATEWAY_CLIENTS";

/// The prefix of facts that report a problem with a daemon's work that the operator can fix, one topic each:
/// `X_CONCERN_RELAY=problem`, and with it `X_FIX_RELAY=fix`. An empty one means that it is over.
const CONCERN: &str = "X_CONCERN_";

/// The prefix of facts with the fix of a concern.
const FIX: &str = "X_FIX_";

/// The topic of clients whose connections come from the gateway's address.
pub const GATEWAY: &str = "GATEWAY";

/// The concern about them.
pub const GATEWAY_CLIENTS: Concern = Concern::constant(
    "clients connect through the container's gateway, which hides their addresses",
    "use the machine's own network (network_mode: host, as in compose.yaml), or an engine from version 27 on with IPv6 in \
     the container's network (compose.bridge.yaml)",
);

/// Sends notices; without a `NOTIFY_SOCKET` they are dropped.
#[derive(Debug, Default)]
pub struct Notifier {
    socket: Option<(UnixDatagram, OsString)>,
}

impl Notifier {
    /// A notifier for the socket named in the environment.
    pub fn from_environment() -> Self {
        let socket = env::var_os("NOTIFY_SOCKET").filter(|path| !path.is_empty()).and_then(|path| {
            let socket = UnixDatagram::unbound().ok()?;
            socket.set_nonblocking(true).ok()?;
            Some((socket, path))
        });
        Self { socket }
    }

    /// Reports that the daemon accepts connections; after a reload, that it uses the new configuration.
    pub fn ready(&self) {
        self.send_with_retries("READY=1");
    }

    /// Reports that the daemon was asked to reload and does so.
    pub fn reloading(&self) {
        self.send("RELOADING=1");
    }

    /// Reports that the daemon no longer accepts connections and drains.
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// Reports that the daemon's runtime works. Sent every [`WATCHDOG_SECONDS`].
    pub fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    /// Sends a fact such as [`QUEUE`].
    pub fn send_fact(&self, key: &str, value: impl std::fmt::Display) {
        self.send(&format!("{key}={value}"));
    }

    /// Sends facts that belong together, in one datagram. None may contain a line break.
    pub fn send_facts(&self, facts: &[(&str, &str)]) {
        let lines: Vec<String> = facts.iter().map(|(key, value)| format!("{key}={value}")).collect();
        self.send(&lines.join("\n"));
    }

    /// Reports the problem of a topic; `None` withdraws it.
    pub fn report_concern(&self, topic: &str, wrong: Option<&Concern>) {
        let line = |text: &str| -> String {
            text.chars().take(MAX_TEXT).map(|c| if c.is_control() { ' ' } else { c }).collect()
        };
        let (problem, fix) =
            wrong.map_or_else(Default::default, |wrong| (line(&wrong.problem), line(&wrong.fix)));
        self.send_facts(&[(&format!("{CONCERN}{topic}"), &problem), (&format!("{FIX}{topic}"), &fix)]);
    }

    fn send(&self, text: &str) {
        if let Some((socket, path)) = &self.socket {
            // There is no listener, or its buffer is full: see above.
            let _ = socket.send_to(text.as_bytes(), path);
        }
    }

    /// Sends a notice that is not repeated: without it the daemon would count as starting indefinitely. The kernel
    /// queues ten notices by default, and several daemons may start at one time; process 1 reads them within moments.
    fn send_with_retries(&self, text: &str) {
        const TRIES: u32 = 200;
        const PAUSE: Duration = Duration::from_millis(10);
        let Some((socket, path)) = &self.socket else { return };
        for _ in 0..TRIES {
            match socket.send_to(text.as_bytes(), path) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
                // Sent, or there is no supervisor.
                _ => return,
            }
        }
    }
}

/// The content of one datagram.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `READY=1` was in it.
    pub is_ready: bool,
    /// `RELOADING=1` was in it.
    pub is_reloading: bool,
    /// `STOPPING=1` was in it.
    pub is_stopping: bool,
    /// `WATCHDOG=1` was in it.
    pub is_alive: bool,
    /// The facts whose keys begin with `X_`.
    pub facts: BTreeMap<String, String>,
}

impl Notice {
    /// Parses a datagram. Unknown keys are ignored, as the convention asks.
    pub fn parse(datagram: &[u8]) -> Self {
        let mut notice = Self::default();
        let text = String::from_utf8_lossy(datagram);
        for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
            match (key, value) {
                ("READY", "1") => notice.is_ready = true,
                ("RELOADING", "1") => notice.is_reloading = true,
                ("STOPPING", "1") => notice.is_stopping = true,
                ("WATCHDOG", "1") => notice.is_alive = true,
                (key, value) if key.starts_with("X_") => {
                    notice.facts.insert(key.to_owned(), value.to_owned());
                }
                _ => {}
            }
        }
        notice
    }

    /// The problems that the daemon reports, by topic; `None` for one that is over.
    pub fn concerns(&self) -> impl Iterator<Item = (&str, Option<Concern>)> {
        self.facts.iter().filter_map(|(key, problem)| {
            let topic = key.strip_prefix(CONCERN)?;
            let fix = self.facts.get(&format!("{FIX}{topic}")).cloned().unwrap_or_default();
            Some((topic, (!problem.is_empty()).then(|| Concern::new(problem.clone(), fix))))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_is_sent_even_if_the_socket_was_full() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify.sock");
        let receiver = UnixDatagram::bind(&path).unwrap();
        let socket = UnixDatagram::unbound().unwrap();
        socket.set_nonblocking(true).unwrap();
        while socket.send_to(b"X_QUEUE=1", &path).is_ok() {}
        let daemon = std::thread::spawn(move || Notifier { socket: Some((socket, path.into())) }.ready());
        let mut buffer = [0; MAX_LEN];
        loop {
            let octets = receiver.recv(&mut buffer).unwrap();
            if Notice::parse(&buffer[..octets]).is_ready {
                break;
            }
        }
        daemon.join().unwrap();
    }

    #[test]
    fn a_notice_has_the_known_keys_and_ignores_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify.sock");
        let receiver = UnixDatagram::bind(&path).unwrap();
        let receiver_path = path.clone();
        let notifier = Notifier { socket: Some((UnixDatagram::unbound().unwrap(), path.into())) };
        notifier.ready();
        notifier.send_fact(QUEUE, 7);
        let mut buffer = [0; MAX_LEN];
        let octets = receiver.recv(&mut buffer).unwrap();
        assert!(Notice::parse(&buffer[..octets]).is_ready);
        let octets = receiver.recv(&mut buffer).unwrap();
        assert_eq!(Notice::parse(&buffer[..octets]).facts[QUEUE], "7");
        notifier.alive();
        let octets = receiver.recv(&mut buffer).unwrap();
        assert_eq!(Notice::parse(&buffer[..octets]), Notice { is_alive: true, ..Notice::default() });
        notifier.report_concern("RELAY", Some(&Concern::new("it says no\r\nREADY=1; or so", "ask it: why?")));
        let octets = receiver.recv(&mut buffer).unwrap();
        let notice = Notice::parse(&buffer[..octets]);
        let expected = Concern::new("it says no  READY=1; or so", "ask it: why?");
        assert_eq!(notice.concerns().collect::<Vec<_>>(), [("RELAY", Some(expected))]);
        assert!(!notice.is_ready);
        notifier.report_concern("RELAY", None);
        let octets = receiver.recv(&mut buffer).unwrap();
        assert_eq!(Notice::parse(&buffer[..octets]).concerns().collect::<Vec<_>>(), [("RELAY", None)]);
        let endless = "\u{1f4ee}".repeat(2 * MAX_TEXT);
        notifier.report_concern("ENDLESS", Some(&Concern::new(endless.clone(), endless)));
        let octets = receiver.recv(&mut buffer).unwrap();
        assert!(octets < MAX_LEN, "it is cut where it is sent, not where it is read");
        send(&receiver_path, ACCOUNTS_CHANGED, 1).unwrap();
        let octets = receiver.recv(&mut buffer).unwrap();
        assert_eq!(Notice::parse(&buffer[..octets]).facts[ACCOUNTS_CHANGED], "1");
        drop(receiver);
        assert!(send(&receiver_path, ACCOUNTS_CHANGED, 1).is_err(), "no process listens");
        assert_eq!(Notice::parse(b"READY=2\nMAINPID=1\nnonsense\n\xff"), Notice::default());
    }

    #[test]
    fn without_a_socket_notices_are_dropped() {
        Notifier::default().ready();
    }
}
