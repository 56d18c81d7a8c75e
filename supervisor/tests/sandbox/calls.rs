//! Plain system calls, made from inside each role, and their results: only those in the role's row in the table of
//! `ARCHITECTURE.md` ("Who runs as whom") work.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use handover::notice::SANDBOX;
use nix::errno::Errno;
use nix::libc::*;
use nix::unistd::{Pid, Uid};
use supervisor::init::role::Role;
use tests::compartment::Compartment;
use tests::injection::{CallInstruction, Injection, Outcome};

use super::{Fixture, SECCOMP};

/// The column of the calls that only some roles make.
const FURTHER: &str = "calls beyond those of all";

/// An argument of a call.
#[derive(Debug, Clone, Copy)]
enum Argument {
    Number(i64),
    /// A file or folder that the role may write to.
    Path(&'static str),
    /// The role's own process number.
    Itself,
    /// The process that started the role, as process 1 does.
    Parent,
    /// A buffer of zeros.
    Zeros(usize),
}

use Argument::{Itself, Number, Parent, Path, Zeros};

const N: fn(i32) -> Argument = |number| Number(number as i64);

/// A call and its result.
type Row = (&'static str, i64, Vec<Argument>, Outcome);

const ABSENT: Outcome = Outcome::Refused(Errno::ENOSYS);
const SEALED: Outcome = Outcome::Refused(Errno::EPERM);
const KILLED: Outcome = Outcome::Killed;

/// The numbers of calls for which the C library has no name.
const SYS_FCHMODAT2: i64 = 452;
const SYS_MAP_SHADOW_STACK: i64 = 453;

/// A waiting role, into which calls are injected.
struct Waiting(Child);

impl Waiting {
    fn start(fixture: &Fixture, role: Role) -> Self {
        let mut child =
            fixture.command(role, "wait").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let enforced = fixture.notice().facts[SANDBOX].clone();
        assert!(enforced.contains(SECCOMP), "{role:?}: without seccomp every attempt would prove nothing");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "sealed\n");
        Self(child)
    }

    fn process(&self) -> Pid {
        Pid::from_raw(self.0.id().cast_signed())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(super) fn no_role_exceeds_its_row() {
    assert!(Uid::effective().is_root(), "only root makes calls in another process: run this test as root");
    let fixture = Fixture::new();
    for role in Role::START_ORDER {
        let row = Compartment::of(role.name());
        let rows: Vec<Row> = [
            signals(),
            processes(),
            files(&row),
            kernel(),
            users_and_namespaces(),
            sockets(&row),
            connections(&row),
        ]
        .concat();
        let mut waiting = Waiting::start(&fixture, role);
        for (name, number, arguments, expected) in rows {
            let mut injection = Injection::into(waiting.process());
            let arguments: Vec<u64> = arguments
                .into_iter()
                .map(|argument| match argument {
                    Number(number) => number.cast_unsigned(),
                    Path(path) => injection.text(&fixture.folder.path().join(path).display().to_string()),
                    Itself => injection.process().as_raw() as u64,
                    Parent => u64::from(std::process::id()),
                    Zeros(count) => injection.octets(&vec![0; count]),
                })
                .collect();
            let outcome = injection.call(number, &arguments);
            let is_right = match (outcome, expected) {
                (Outcome::Returned(_), Outcome::Returned(_)) => true,
                (outcome, expected) => outcome == expected,
            };
            assert!(is_right, "{role:?}: {name} ends with {outcome:?} instead of {expected:?}");
            drop(injection);
            if outcome == KILLED {
                waiting = Waiting::start(&fixture, role);
            }
        }
        through_other_gates(&fixture, role);
    }
}

/// Signals: no role sends any, except SIGABRT to itself.
fn signals() -> Vec<Row> {
    vec![
        ("kill process 1", SYS_kill, vec![N(1), N(0)], ABSENT),
        ("kill all", SYS_kill, vec![N(-1), N(SIGTERM)], ABSENT),
        ("kill the parent", SYS_kill, vec![Parent, N(SIGTERM)], ABSENT),
        ("kill itself", SYS_kill, vec![Itself, N(SIGTERM)], ABSENT),
        ("tkill the parent", SYS_tkill, vec![Parent, N(SIGTERM)], ABSENT),
        ("tgkill the parent", SYS_tgkill, vec![Parent, Parent, N(SIGABRT)], ABSENT),
        ("tgkill itself with a real-time signal", SYS_tgkill, vec![Itself, Itself, N(40)], ABSENT),
        ("abort", SYS_tgkill, vec![Itself, N(0), N(SIGABRT)], Outcome::Refused(Errno::EINVAL)),
        ("queue a signal", SYS_rt_sigqueueinfo, vec![Parent, N(40), Zeros(128)], ABSENT),
        ("queue one for a thread", SYS_rt_tgsigqueueinfo, vec![Parent, Parent, N(40), Zeros(128)], ABSENT),
        ("open a process", SYS_pidfd_open, vec![Parent, N(0)], ABSENT),
        ("signal an open process", SYS_pidfd_send_signal, vec![N(0), N(SIGTERM)], ABSENT),
        ("F_SETOWN", SYS_fcntl, vec![N(0), N(F_SETOWN), Parent], ABSENT),
        ("F_SETOWN_EX", SYS_fcntl, vec![N(0), N(15), Zeros(8)], ABSENT),
        ("F_SETSIG", SYS_fcntl, vec![N(0), N(10), N(40)], ABSENT),
        ("F_NOTIFY", SYS_fcntl, vec![N(0), N(F_NOTIFY), N(1)], ABSENT),
        ("F_SETLEASE", SYS_fcntl, vec![N(0), N(F_SETLEASE), N(F_RDLCK)], ABSENT),
        ("F_GETFD", SYS_fcntl, vec![N(0), N(F_GETFD)], Outcome::Returned(0)),
        ("FIOSETOWN", SYS_ioctl, vec![N(0), N(0x8901), Zeros(4)], ABSENT),
        ("SIOCSPGRP", SYS_ioctl, vec![N(0), N(0x8902), Zeros(4)], ABSENT),
        ("FIOASYNC", SYS_ioctl, vec![N(0), Number(FIOASYNC as i64), Zeros(4)], ABSENT),
        ("TIOCSTI", SYS_ioctl, vec![N(0), Number(TIOCSTI as i64), Zeros(4)], ABSENT),
        ("timer_create", SYS_timer_create, vec![N(0), Zeros(64), Zeros(8)], ABSENT),
    ]
}

fn processes() -> Vec<Row> {
    let others = Outcome::Refused(Errno::EPERM);
    vec![
        ("ptrace", SYS_ptrace, vec![N(16), Parent], KILLED),
        ("read another's memory", SYS_process_vm_readv, vec![Parent], KILLED),
        ("write another's memory", SYS_process_vm_writev, vec![Parent], KILLED),
        ("take another's descriptor", SYS_pidfd_getfd, vec![N(0), N(0), N(0)], KILLED),
        ("compare with another", SYS_kcmp, vec![Parent, Itself], KILLED),
        ("limit another", SYS_prlimit64, vec![Parent, N(7), N(0), Zeros(16)], ABSENT),
        ("change its own limit", SYS_prlimit64, vec![N(0), N(7), Zeros(16), N(0)], ABSENT),
        ("read its own limit", SYS_prlimit64, vec![N(0), N(7), N(0), Zeros(16)], Outcome::Returned(0)),
        ("setrlimit", SYS_setrlimit, vec![N(7), Zeros(16)], ABSENT),
        ("nice", SYS_setpriority, vec![N(0), Parent, N(19)], ABSENT),
        ("schedule", SYS_sched_setscheduler, vec![Parent, N(0), Zeros(4)], ABSENT),
        ("bind to a processor", SYS_sched_setaffinity, vec![Parent, N(8), Zeros(8)], ABSENT),
        ("execve", SYS_execve, vec![Path("config"), N(0), N(0)], SEALED),
        ("execveat", SYS_execveat, vec![N(AT_FDCWD), Path("config"), N(0), N(0), N(0)], others),
        ("fork", SYS_fork, vec![], SEALED),
        ("vfork", SYS_vfork, vec![], SEALED),
        ("clone a process", SYS_clone, vec![N(SIGCHLD), N(0)], SEALED),
        (
            "clone namespaces",
            SYS_clone,
            vec![N(CLONE_NEWUSER | CLONE_THREAD | CLONE_VM | CLONE_SIGHAND), N(0)],
            ABSENT,
        ),
        ("clone3", SYS_clone3, vec![Zeros(88), N(88)], ABSENT),
        ("set a process group", SYS_setpgid, vec![N(0), N(0)], ABSENT),
        ("leave the session", SYS_setsid, vec![], ABSENT),
        ("PR_SET_DUMPABLE", SYS_prctl, vec![N(PR_SET_DUMPABLE), N(1)], ABSENT),
        ("PR_SET_PDEATHSIG", SYS_prctl, vec![N(PR_SET_PDEATHSIG), N(0)], ABSENT),
        ("PR_SET_PTRACER", SYS_prctl, vec![N(PR_SET_PTRACER), N(-1)], ABSENT),
        ("PR_SET_CHILD_SUBREAPER", SYS_prctl, vec![N(PR_SET_CHILD_SUBREAPER), N(1)], ABSENT),
        ("getpid", SYS_getpid, vec![], Outcome::Returned(0)),
    ]
}

/// Owners, permissions and links, by all variants of the calls.
fn files(row: &Compartment) -> Vec<Row> {
    let (own, link, node) = (Path("queue/tmp/own"), Path("queue/tmp/link"), Path("queue/tmp/node"));
    let of_row = |call: &str, works| if row.has(FURTHER, call) { works } else { ABSENT };
    vec![
        ("chown", SYS_chown, vec![own, N(0), N(0)], ABSENT),
        ("lchown", SYS_lchown, vec![own, N(0), N(0)], ABSENT),
        ("fchown", SYS_fchown, vec![N(0), N(0), N(0)], ABSENT),
        ("fchownat", SYS_fchownat, vec![N(AT_FDCWD), own, N(0), N(0), N(0)], ABSENT),
        ("chmod", SYS_chmod, vec![own, N(0o4755)], ABSENT),
        ("fchmodat", SYS_fchmodat, vec![N(AT_FDCWD), own, N(0o4755)], ABSENT),
        ("fchmodat2", SYS_FCHMODAT2, vec![N(AT_FDCWD), own, N(0o4755), N(0)], ABSENT),
        ("symlink", SYS_symlink, vec![own, link], ABSENT),
        ("symlinkat", SYS_symlinkat, vec![own, N(AT_FDCWD), link], ABSENT),
        (
            "linkat",
            SYS_linkat,
            vec![N(AT_FDCWD), Path("none"), N(AT_FDCWD), link, N(0)],
            of_row("linkat", Outcome::Refused(Errno::ENOENT)),
        ),
        ("link", SYS_link, vec![Path("none"), link], of_row("linkat", Outcome::Refused(Errno::ENOENT))),
        (
            "utimensat",
            SYS_utimensat,
            vec![N(AT_FDCWD), Path("none"), N(0), N(0)],
            of_row("utimensat", Outcome::Refused(Errno::ENOENT)),
        ),
        ("utime", SYS_utime, vec![own, N(0)], ABSENT),
        ("mknod", SYS_mknod, vec![node, N(0o020_600), N(0)], ABSENT),
        ("mknodat", SYS_mknodat, vec![N(AT_FDCWD), node, N(0o010_600), N(0)], ABSENT),
        ("setxattr", SYS_setxattr, vec![own, own, own, N(0), N(0)], ABSENT),
        ("truncate", SYS_truncate, vec![own, N(0)], ABSENT),
        ("chdir", SYS_chdir, vec![Path("secret")], ABSENT),
        ("inotify", SYS_inotify_init1, vec![N(0)], ABSENT),
        ("fanotify", SYS_fanotify_init, vec![N(0), N(0)], ABSENT),
        ("name_to_handle_at", SYS_name_to_handle_at, vec![N(AT_FDCWD), own], ABSENT),
        ("open_by_handle_at", SYS_open_by_handle_at, vec![N(0), Zeros(8), N(0)], KILLED),
        ("memfd_create", SYS_memfd_create, vec![own, N(0)], ABSENT),
        ("memfd_secret", SYS_memfd_secret, vec![N(0)], ABSENT),
        (
            "open a secret",
            SYS_openat,
            vec![N(AT_FDCWD), Path("secret/open"), N(O_RDONLY)],
            Outcome::Refused(Errno::EACCES),
        ),
        (
            "list a secret folder",
            SYS_openat,
            vec![N(AT_FDCWD), Path("secret"), N(O_RDONLY | O_DIRECTORY)],
            Outcome::Refused(Errno::EACCES),
        ),
        (
            "make a secret",
            SYS_open,
            vec![Path("secret/new"), N(O_WRONLY | O_CREAT), N(0o600)],
            Outcome::Refused(Errno::EACCES),
        ),
        ("make its own file", SYS_open, vec![own, N(O_WRONLY | O_CREAT), N(0o600)], Outcome::Returned(0)),
    ]
}

fn kernel() -> Vec<Row> {
    vec![
        ("io_uring", SYS_io_uring_setup, vec![N(8), Zeros(120)], ABSENT),
        ("io_uring_enter", SYS_io_uring_enter, vec![N(0)], ABSENT),
        ("aio", SYS_io_setup, vec![N(8), Zeros(8)], ABSENT),
        ("bpf", SYS_bpf, vec![N(0), Zeros(128), N(128)], KILLED),
        ("perf_event_open", SYS_perf_event_open, vec![Zeros(128), N(0), N(-1), N(-1)], KILLED),
        ("userfaultfd", SYS_userfaultfd, vec![N(1)], KILLED),
        ("keyctl", SYS_keyctl, vec![N(0), N(-3), N(0)], KILLED),
        ("add_key", SYS_add_key, vec![Zeros(8), Zeros(8), N(0), N(0), N(-2)], KILLED),
        ("request_key", SYS_request_key, vec![Zeros(8), Zeros(8), N(0), N(-2)], KILLED),
        ("init_module", SYS_init_module, vec![Zeros(8), N(8), Zeros(8)], KILLED),
        ("finit_module", SYS_finit_module, vec![N(0), Zeros(8), N(0)], KILLED),
        ("kexec_load", SYS_kexec_load, vec![N(0), N(0), N(0), N(0)], KILLED),
        ("reboot", SYS_reboot, vec![N(0), N(0), N(0)], KILLED),
        ("syslog", SYS_syslog, vec![N(3), Zeros(64), N(64)], KILLED),
        ("sethostname", SYS_sethostname, vec![Zeros(8), N(1)], KILLED),
        ("clock_settime", SYS_clock_settime, vec![N(0), Zeros(16)], KILLED),
        ("adjtimex", SYS_adjtimex, vec![Zeros(208)], ABSENT),
        ("iopl", SYS_iopl, vec![N(3)], ABSENT),
        ("modify_ldt", SYS_modify_ldt, vec![N(0), Zeros(8), N(8)], ABSENT),
        ("personality", SYS_personality, vec![N(0)], ABSENT),
        ("quotactl", SYS_quotactl, vec![N(0)], ABSENT),
        ("acct", SYS_acct, vec![N(0)], ABSENT),
        ("landlock", SYS_landlock_create_ruleset, vec![N(0), N(0), N(1)], ABSENT),
        ("shmget", SYS_shmget, vec![N(0), N(4096), N(0o600)], ABSENT),
        ("msgget", SYS_msgget, vec![N(0), N(0o600)], ABSENT),
        ("mq_open", SYS_mq_open, vec![Path("config"), N(0)], ABSENT),
        ("map_shadow_stack", SYS_MAP_SHADOW_STACK, vec![N(0), N(4096), N(0)], ABSENT),
    ]
}

fn users_and_namespaces() -> Vec<Row> {
    vec![
        ("setuid", SYS_setuid, vec![N(0)], KILLED),
        ("setgid", SYS_setgid, vec![N(0)], KILLED),
        ("setreuid", SYS_setreuid, vec![N(0), N(0)], KILLED),
        ("setresuid", SYS_setresuid, vec![N(0), N(0), N(0)], KILLED),
        ("setresgid", SYS_setresgid, vec![N(0), N(0), N(0)], KILLED),
        ("setfsuid", SYS_setfsuid, vec![N(0)], KILLED),
        ("setgroups", SYS_setgroups, vec![N(0), N(0)], KILLED),
        ("capset", SYS_capset, vec![Zeros(8), Zeros(24)], KILLED),
        ("unshare", SYS_unshare, vec![N(CLONE_NEWUSER)], KILLED),
        ("setns", SYS_setns, vec![N(0), N(0)], KILLED),
        ("mount", SYS_mount, vec![Zeros(8), Path("queue"), Zeros(8), N(0), N(0)], KILLED),
        ("umount", SYS_umount2, vec![Path("queue"), N(0)], KILLED),
        ("open_tree", SYS_open_tree, vec![N(AT_FDCWD), Path("queue"), N(1)], KILLED),
        ("fsopen", SYS_fsopen, vec![Zeros(8), N(0)], KILLED),
        (
            "mount_setattr",
            SYS_mount_setattr,
            vec![N(AT_FDCWD), Path("queue"), N(0), Zeros(32), N(32)],
            ABSENT,
        ),
        ("pivot_root", SYS_pivot_root, vec![Path("queue"), Path("queue")], KILLED),
        ("chroot", SYS_chroot, vec![Path("queue")], KILLED),
    ]
}

/// Sockets of every existing family and some more, and of every protocol over IP that a kernel is likely to have.
fn sockets(row: &Compartment) -> Vec<Row> {
    let makes = |family| row.has("makes sockets", family);
    let mut rows = Vec::new();
    for domain in 0..64 {
        let is_of_row = match domain {
            AF_UNIX => makes("AF_UNIX"),
            AF_INET => makes("AF_INET"),
            AF_INET6 => makes("AF_INET6"),
            AF_NETLINK => makes("AF_NETLINK"),
            _ => false,
        };
        for kind in [SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET] {
            let has_kind = match domain {
                AF_NETLINK => kind == SOCK_RAW,
                _ => kind == SOCK_STREAM || kind == SOCK_DGRAM,
            };
            let expected = if is_of_row && has_kind { Outcome::Returned(0) } else { ABSENT };
            rows.push(("socket", SYS_socket, vec![N(domain), N(kind), N(0)], expected));
        }
    }
    for domain in [AF_INET, AF_INET6] {
        // ICMP, IGMP, DCCP, SCTP, UDP-Lite, SMC, MPTCP and raw.
        for protocol in [1, 2, 33, 132, 136, 255, 256, 262] {
            for kind in [SOCK_STREAM, SOCK_DGRAM, SOCK_RAW] {
                rows.push(("socket", SYS_socket, vec![N(domain), N(kind), N(protocol)], ABSENT));
            }
        }
    }
    rows.push((
        "another netlink",
        SYS_socket,
        vec![N(AF_NETLINK), N(SOCK_RAW), N(NETLINK_KOBJECT_UEVENT)],
        ABSENT,
    ));
    rows.push((
        "socketpair",
        SYS_socketpair,
        vec![N(AF_UNIX), N(SOCK_STREAM), N(0), Zeros(8)],
        Outcome::Returned(0),
    ));
    rows.push(("socketpair", SYS_socketpair, vec![N(AF_TIPC), N(SOCK_STREAM), N(0), Zeros(8)], ABSENT));
    rows
}

fn connections(row: &Compartment) -> Vec<Row> {
    // Standard input is not a socket: a permitted call reports that.
    let of_row = |call: &str| match row.has(FURTHER, call) {
        true => Outcome::Refused(Errno::ENOTSOCK),
        false => ABSENT,
    };
    let made = Outcome::Refused(Errno::ENOTSOCK);
    vec![
        ("connect", SYS_connect, vec![N(0), Zeros(16), N(16)], of_row("connect")),
        ("bind", SYS_bind, vec![N(0), Zeros(16), N(16)], of_row("bind")),
        ("listen", SYS_listen, vec![N(0), N(1)], ABSENT),
        ("sendto", SYS_sendto, vec![N(0), Zeros(16), N(1), N(MSG_NOSIGNAL), N(0), N(0)], made),
        (
            "connect while sending",
            SYS_sendto,
            vec![N(0), Zeros(16), N(1), N(MSG_FASTOPEN), Zeros(16), N(16)],
            ABSENT,
        ),
        ("connect while sending", SYS_sendmsg, vec![N(0), Zeros(56), N(MSG_FASTOPEN)], ABSENT),
        ("connect while sending", SYS_sendmmsg, vec![N(0), Zeros(64), N(1), N(MSG_FASTOPEN)], ABSENT),
    ]
}

/// Makes calls through the kernel's older tables, with other numbers: those of 32-bit programs, and those of x32.
fn through_other_gates(fixture: &Fixture, role: Role) {
    const X32: i64 = 0x4000_0000;
    let waiting = Waiting::start(fixture, role);
    let mut injection = Injection::into(waiting.process());
    for number in [SYS_getpid, SYS_kill, SYS_socket, 512, 513, 520, 521, 545] {
        assert_eq!(injection.call(X32 | number, &[]), ABSENT, "{role:?}: x32 {number}");
    }
    // The number 20 is getpid there.
    assert_eq!(injection.call_through(CallInstruction::Compatible, 20, &[]), KILLED, "{role:?}: int 0x80");
}
