//! The appliance itself: `mailstead` as process 1 of namespaces that look like its container, so that it has the real
//! ports, the real paths and the real users for itself, without an engine.
//!
//! ```text
//! the test ── unshare ── container.sh, which becomes ── mailstead (process 1 in there) ── steward, mda, mta
//! ```
//!
//! The volume is a folder of the test's. Its network is a loopback of its own, which a thread of the test enters with
//! [`Appliance::inside`]. All of this needs root.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output};
use std::thread;

use handover::status::{State, Status};
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use tempfile::TempDir;

use crate::certificate;
use crate::doors::{Doors, User};
use crate::patience;
use crate::process::{self, Process};
use crate::program;

const CONTAINER: &str = include_str!("container.sh");
const PASSWD: &str = include_str!("../../../image/passwd");
const GROUP: &str = include_str!("../../../image/group");

/// Those that `compose.yaml` gives.
pub const CAPABILITIES: [&str; 7] =
    ["net_bind_service", "setuid", "setgid", "setpcap", "chown", "kill", "dac_read_search"];

/// The domain whose mail it takes.
pub const DOMAIN: &str = "example.org";
/// The name of the machine.
pub const HOSTNAME: &str = "mail.example.org";

/// Where each service listens.
const PORTS: [(&str, u16); 7] = [
    ("smtp", 25),
    ("submissions", 465),
    ("submission", 587),
    ("imap", 143),
    ("imaps", 993),
    ("health", 8025),
    ("http", 80),
];

/// A container that is to be started.
pub struct Container {
    place: TempDir,
    environment: BTreeMap<String, String>,
    capabilities: Vec<&'static str>,
    before: Vec<String>,
    is_process_1: bool,
}

impl Default for Container {
    fn default() -> Self {
        Self::new()
    }
}

impl Container {
    /// One with an empty volume and two users, which looks for nothing outside.
    pub fn new() -> Self {
        assert!(
            Uid::effective().is_root(),
            "a container is made of namespaces, and only root may make them: run these tests as root"
        );
        let place = tempfile::tempdir().expect("a folder can be made");
        for folder in ["root", "volume", "etc"] {
            fs::create_dir(place.path().join(folder)).expect("a folder can be made");
        }
        let etc = place.path().join("etc");
        fs::write(etc.join("passwd"), PASSWD).expect("a file can be written");
        fs::write(etc.join("group"), GROUP).expect("a file can be written");
        fs::write(place.path().join("container.sh"), CONTAINER).expect("a file can be written");
        let secrets: Vec<String> =
            users().iter().map(|user| format!("{}:{}", user.address, user.password)).collect();
        let environment = [
            ("MAIL_DOMAIN", DOMAIN),
            ("MAIL_USERS", &secrets.join(",")),
            // Nobody answers there, and says so at once.
            ("MAIL_DNS_SERVERS", "127.0.0.1:1"),
            ("MAIL_ACME_DIRECTORY", "none"),
            ("MAIL_BLOCKLISTS", "none"),
            ("MAIL_CHECK_SMTP_HOST", "none"),
        ];
        Self {
            place,
            environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            capabilities: CAPABILITIES.into(),
            before: Vec::new(),
            is_process_1: true,
        }
    }

    /// Starts it beneath another process 1, as an engine's `init: true` does.
    pub fn beneath_an_init(mut self) -> Self {
        self.is_process_1 = false;
        self
    }

    /// Sets a variable of its environment.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Takes a variable out of its environment.
    pub fn unset(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Starts it without a capability.
    pub fn without_capability(mut self, name: &str) -> Self {
        self.capabilities.retain(|capability| *capability != name);
        self
    }

    /// Runs a line of shell in the container's root before process 1 starts, with all rights.
    pub fn before(mut self, line: &str) -> Self {
        self.before.push(line.to_owned());
        self
    }

    /// The folder that is its `/etc`, before it starts.
    pub fn etc(&self) -> PathBuf {
        self.place.path().join("etc")
    }

    /// The folder that is its volume.
    pub fn volume(&self) -> PathBuf {
        self.place.path().join("volume")
    }

    /// Starts it; process 1 runs, and nothing else needs to.
    pub fn start(self) -> Appliance {
        let process = self.launch();
        let mut appliance = Appliance { process, init: Pid::from_raw(0), container: self };
        appliance.find_process_1();
        appliance
    }

    /// Starts it and waits until it serves mail.
    pub fn serve(self) -> Appliance {
        let mut appliance = self.start();
        appliance.await_ready();
        appliance
    }

    /// Starts it although it cannot work: how it ended and what it printed.
    pub fn refused(&self) -> (Option<i32>, String) {
        let mut process = self.launch();
        let status = patience::until("it has given up", || process.ended());
        (status.code(), process.log())
    }

    /// The command that makes the namespaces and becomes process 1.
    pub fn command(&self) -> Command {
        let path = |name| self.place.path().join(name);
        let capabilities: Vec<String> = self.capabilities.iter().map(|name| format!("+{name}")).collect();
        let mut command = Command::new("unshare");
        command
            .args(["--pid", "--fork", "--kill-child", "--net", "--mount", "--uts", "--ipc", "--"])
            .args(if self.is_process_1 { &[][..] } else { &["sh", "-c", "\"$@\"; exit $?", "init"] })
            .arg("sh")
            .args([
                path("container.sh"),
                path("root"),
                path("volume"),
                program::mailstead().to_owned(),
                path("etc"),
            ])
            .arg(format!("-all,{}", capabilities.join(",")))
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("BEFORE", self.before.join("\n"))
            .envs(&self.environment);
        command
    }

    fn launch(&self) -> Process {
        Process::start("appliance", self.command(), self.place.path())
    }
}

/// Who has a mailbox.
pub fn users() -> Vec<User> {
    [("ann@example.org", "correct-horse"), ("bob@example.org", "battery-staple")]
        .map(|(address, password)| User { address: address.to_owned(), password: password.to_owned() })
        .into()
}

/// A running container; it ends with this value.
pub struct Appliance {
    process: Process,
    init: Pid,
    container: Container,
}

impl Appliance {
    /// One that was started by [`Container::command`], with standard streams of the test's.
    pub fn adopt(child: Child, container: Container) -> Self {
        let process = Process::adopt("appliance", child);
        let mut appliance = Self { process, init: Pid::from_raw(0), container };
        appliance.find_process_1();
        appliance
    }

    fn find_process_1(&mut self) {
        self.init = patience::until("process 1 runs", || {
            if let Some(status) = self.process.ended() {
                panic!("it ended at once: {status}\n{}", self.process.log());
            }
            process::descendants(self.process.id()).into_iter().find(|process| {
                // Inside of its root the program is called so; the shell and setpriv have other names.
                fs::read_link(format!("/proc/{process}/exe")).is_ok_and(|path| path.ends_with("mailstead"))
            })
        });
    }

    /// Waits until all daemons are ready.
    #[track_caller]
    pub fn await_ready(&mut self) {
        patience::until_true("every daemon is ready", || {
            if let Some(status) = self.process.ended() {
                panic!("it ended before it was ready: {status}\n{}", self.process.log());
            }
            self.status()
                .is_some_and(|status| status.processes.iter().all(|process| process.state == State::Ready))
        });
    }

    /// What process 1 has written of itself, once it has.
    pub fn status(&self) -> Option<Status> {
        Status::load(&self.path("/run/mailstead/status.json")).ok()
    }

    /// How often a daemon was started again.
    #[track_caller]
    pub fn restarts(&self, role: &str) -> u64 {
        let status = self.status().expect("process 1 writes its status");
        status.processes.iter().find(|process| process.name == role).expect("the role is known").restarts
    }

    /// A path of the container as the test sees it.
    pub fn path(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{inside}", self.init))
    }

    /// The folder that is its volume.
    pub fn volume(&self) -> PathBuf {
        self.container.volume()
    }

    /// Process 1, by the number that it has outside.
    pub fn init(&self) -> Pid {
        self.init
    }

    /// The process that runs under a role, once there is one.
    #[track_caller]
    pub fn role(&self, role: &str) -> Pid {
        patience::until(&format!("the {role} runs"), || process::role(self.init, role))
    }

    /// Kills the process of a role, and waits until another is ready in its place.
    #[track_caller]
    pub fn kill_and_await(&self, role: &str) {
        let restarts = self.restarts(role);
        kill(self.role(role), Signal::SIGKILL).expect("it runs");
        patience::until_true(&format!("the {role} is back"), || {
            self.status().is_some_and(|status| {
                status.processes.iter().any(|process| {
                    process.name == role && process.restarts > restarts && process.state == State::Ready
                })
            })
        });
    }

    /// Sends process 1 a signal, as the engine does from outside.
    pub fn signal(&self, signal: Signal) {
        kill(self.init, signal).expect("process 1 runs");
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.ended()
    }

    /// Waits until it has ended; the exit status.
    #[track_caller]
    pub fn await_end(&mut self) -> Option<i32> {
        patience::until("process 1 has ended", || self.process.ended()).code()
    }

    /// Asks it to stop and waits until it has; the exit status.
    #[track_caller]
    pub fn stop(&mut self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        self.await_end()
    }

    /// What all its processes have printed.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Starts it again over the same volume, and waits for nothing. It must have ended.
    #[track_caller]
    pub fn restart(&mut self) {
        assert!(self.process.ended().is_some(), "it still runs");
        self.process = self.container.launch();
        self.find_process_1();
    }

    /// Starts it again over the same volume, and waits until it serves mail. It must have ended.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.restart();
        self.await_ready();
    }

    /// Runs a line of shell in the container's root before process 1 is started again.
    pub fn before_next(&mut self, line: &str) {
        self.container.before.push(line.to_owned());
    }

    /// Makes a daemon unable to start, by a configuration that is none, and kills it; what its configuration was.
    #[track_caller]
    pub fn break_role(&self, role: &str) -> String {
        let path = self.path(&format!("/run/mailstead/{role}.toml"));
        let good = fs::read_to_string(&path).expect("the configuration can be read");
        fs::write(&path, "this is no configuration").expect("the configuration can be written");
        kill(self.role(role), Signal::SIGKILL).expect("it runs");
        good
    }

    /// Puts the configuration back.
    pub fn mend_role(&self, role: &str, good: &str) {
        fs::write(self.path(&format!("/run/mailstead/{role}.toml")), good)
            .expect("the configuration can be written");
    }

    /// Runs a program inside, as `docker exec` does: with the container's rights and process 1 not its parent.
    pub fn execute(&self, arguments: &[&str]) -> Output {
        self.enter(arguments).output().expect("nsenter starts")
    }

    /// The command that [`Appliance::execute`] runs.
    pub fn enter(&self, arguments: &[&str]) -> Command {
        let capabilities: Vec<String> = CAPABILITIES.iter().map(|name| format!("+{name}")).collect();
        let mut command = Command::new("nsenter");
        command
            .args([
                &format!("--target={}", self.init),
                "--mount",
                "--pid",
                "--net",
                "--uts",
                "--ipc",
                "--root",
            ])
            .args(["--wdns=/", "--", "/sbin/setpriv"])
            .args(["--bounding-set", &format!("-all,{}", capabilities.join(",")), "--no-new-privs"])
            .args(arguments)
            .env_clear();
        command
    }

    /// Runs a line of shell among its processes, with the test's own files: something that leaves processes behind.
    pub fn shell(&self, line: &str) -> Output {
        Command::new("nsenter")
            .args([&format!("--target={}", self.init), "--pid", "--", "sh", "-c", line])
            .output()
            .expect("nsenter starts")
    }

    /// Whether `mailstead health` says that all is well.
    pub fn is_healthy(&self) -> bool {
        self.execute(&["/bin/mailstead", "health"]).status.success()
    }

    /// Does something in its network.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| match scope.spawn(|| self.enter_network().map(|()| work())).join() {
            Ok(done) => done.expect("its network can be entered"),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    /// Moves the calling thread, and the threads that it starts, into the appliance's network.
    pub fn enter_network(&self) -> nix::Result<()> {
        let network = File::open(format!("/proc/{}/ns/net", self.init)).map_err(|_| nix::Error::ESRCH)?;
        setns(network, CloneFlags::CLONE_NEWNET)
    }

    /// How it is reached, from inside of its network.
    pub fn doors(&self) -> Doors {
        let address =
            |(name, port): (&str, u16)| (name.to_owned(), SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        Doors {
            addresses: PORTS.map(address).into(),
            lmtp: self.path("/run/mailstead/lmtp.sock"),
            hostname: HOSTNAME.to_owned(),
            trust: certificate::trusting(&self.volume().join("tls/ca.pem")),
            users: users(),
        }
    }

    /// The processes that process 1 has not buried.
    pub fn zombies(&self) -> Vec<Pid> {
        process::descendants(self.init).into_iter().filter(|pid| is_zombie(*pid)).collect()
    }
}

fn is_zombie(pid: Pid) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
}
