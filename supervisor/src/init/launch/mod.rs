//! The launcher stage: between process 1 and a daemon, the same process under another role.
//!
//! Privileges that a daemon must not keep are dropped here and not between fork and exec, where almost nothing is safe
//! to do. Run as `mailstead launch …` by process 1, it ends by becoming the daemon:
//!
//! ```text
//! process 1 ──fork, exec──▶ launch ──drops everything──▶ exec mailstead mta --config …
//! ```
//!
//! Dropped, in this order: descriptors, blocked signals, the user and its capabilities, the way to new ones, files and
//! ports ([`files`]), the system calls that the role does not need ([`system_calls`]). A restriction that a kernel
//! cannot enforce is reported to process 1 and does not prevent the start.

mod confinement;
mod daemon_user;
mod files;
pub mod rules;
mod system_calls;

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use handover::notice::Notifier;
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid};

use super::role::Role;
use super::signals;
use super::spawn::{FIRST_PASSED, Program};
use crate::exit::Exit;
use crate::volume::Owner;
use confinement::Confinement;
pub use daemon_user::DaemonUser;
use rules::Rules;
pub use system_calls::seal;

/// This program, whatever its name and even when its file was replaced while it runs.
pub const OURSELVES: &str = "/proc/self/exe";

/// The command line of a launch.
#[derive(Debug, clap::Args)]
pub struct Launch {
    /// The user ID to switch to; without one, the user stays.
    #[arg(long, requires = "gid")]
    uid: Option<u32>,
    /// The group ID to switch to.
    #[arg(long)]
    gid: Option<u32>,
    /// A supplementary group ID.
    #[arg(long)]
    group: Option<u32>,
    /// A file or folder that it may read.
    #[arg(long, value_name = "PATH")]
    read: Vec<PathBuf>,
    /// A folder that it may change.
    #[arg(long, value_name = "PATH")]
    write: Vec<PathBuf>,
    /// A TCP port that it may connect to.
    #[arg(long, value_name = "PORT")]
    connect: Vec<u16>,
    /// The role and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    role: Vec<OsString>,
}

/// The command line that [`run`] reads.
pub fn program(role: Role, configuration: &Path, user: Option<DaemonUser>, rules: &Rules) -> Program {
    let mut arguments: Vec<OsString> = vec!["launch".into()];
    if let Some(DaemonUser { owner, group }) = user {
        arguments.extend([format!("--uid={}", owner.user).into(), format!("--gid={}", owner.group).into()]);
        arguments.extend(group.map(|group| format!("--group={group}").into()));
    }
    let option = |name: &str, value: OsString| {
        let mut option = OsString::from(name);
        option.push(value);
        option
    };
    arguments.extend(rules.read.iter().map(|path| option("--read=", path.into())));
    arguments.extend(rules.write.iter().map(|path| option("--write=", path.into())));
    arguments.extend(rules.connect.iter().map(|port| option("--connect=", port.to_string().into())));
    arguments.extend([role.name().into(), "--config".into(), configuration.into()]);
    Program { path: OURSELVES.into(), arguments }
}

/// Drops everything and becomes the daemon; returns only when that failed.
pub fn run(launch: &Launch) -> ExitCode {
    let error = match drop_everything(launch) {
        Ok(()) => Command::new(OURSELVES)
            .arg0("mailstead")
            .args(&launch.role)
            .env("LISTEN_PID", std::process::id().to_string())
            .exec(),
        Err(error) => error,
    };
    // The daemon sets up the log itself; this line is the only report.
    eprintln!("mailstead launch {}: {error}", launch.role[0].display());
    Exit::System.into()
}

fn drop_everything(launch: &Launch) -> io::Result<()> {
    let role = launch.role().ok_or_else(|| io::Error::other("unknown role"))?;
    close_inherited();
    // The mask is inherited, and a daemon that cannot be asked to stop would have to be killed.
    signals::unblock()?;
    // As many connections as the system allows without further rights. Fewer work too.
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
    if let Some(user) = launch.user() {
        user.switch_to()?;
    }
    prctl::set_no_new_privs()?;
    // If process 1 is killed without a chance to stop its daemons, none is left behind: the next start must not find
    // two MTAs at one queue. Changing the user resets this, so it comes after that.
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    // The notice carries the number of this process, which is the daemon's.
    let process_1 = Notifier::from_environment();
    Confinement::enter(role, &launch.rules()).report(&process_1);
    Ok(())
}

impl Launch {
    fn role(&self) -> Option<Role> {
        Role::START_ORDER.into_iter().find(|role| self.role.first().is_some_and(|name| name == role.name()))
    }

    fn user(&self) -> Option<DaemonUser> {
        self.uid.zip(self.gid).map(|(uid, gid)| DaemonUser {
            owner: Owner { user: Uid::from_raw(uid), group: Gid::from_raw(gid) },
            group: self.group.map(Gid::from_raw),
        })
    }

    fn rules(&self) -> Rules {
        Rules {
            read: self.read.clone(),
            write: self.write.clone(),
            connect: self.connect.iter().copied().collect(),
        }
    }
}

/// Closes descriptors that the parent of process 1 left open by accident. Our own close themselves, except for the
/// three standard ones and those that were passed, which follow them.
fn close_inherited() {
    let passed = std::env::var("LISTEN_FDS").ok().and_then(|count| count.parse().ok()).unwrap_or(0);
    let Ok(listing) = std::fs::read_dir("/proc/self/fd") else { return };
    let open: Vec<i32> = listing.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    for inherited in open.into_iter().filter(|descriptor| *descriptor >= FIRST_PASSED + passed) {
        // The listing's own descriptor is among them, and closed by now.
        let _ = nix::unistd::close(inherited);
    }
}

#[cfg(test)]
mod tests;
