//! The launcher stage: between process 1 and a daemon, the same process under another role.
//!
//! What a daemon must not have any more is given up here and not between fork and exec, where almost nothing is
//! safe to do. Run as `mailstead launch …` by process 1, it ends by becoming the daemon:
//!
//! ```text
//! process 1 ──fork, exec──▶ launch ──drops everything──▶ exec mailstead mta --config …
//! ```

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use caps::CapSet;
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};

use super::role::Role;
use super::signals;
use super::spawn::{FIRST_PASSED, Program};
use crate::exit::Exit;
use crate::volume::Owner;

/// This program, whatever it is called and even when its file was replaced while it runs.
pub const OURSELVES: &str = "/proc/self/exe";

/// Whom a daemon becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// The user and its own group.
    pub owner: Owner,
    /// A further group.
    pub group: Option<Gid>,
}

/// What to launch, as it stands on the command line.
#[derive(Debug, clap::Args)]
pub struct Launch {
    /// The number of the user to become; without one nobody is become.
    #[arg(long, requires = "gid")]
    uid: Option<u32>,
    /// The number of the group to become.
    #[arg(long)]
    gid: Option<u32>,
    /// The number of a further group.
    #[arg(long)]
    group: Option<u32>,
    /// The role and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    role: Vec<OsString>,
}

/// The command line that [`run`] reads.
pub fn program(role: Role, configuration: &Path, person: Option<Person>) -> Program {
    let mut arguments: Vec<OsString> = vec!["launch".into()];
    if let Some(Person { owner, group }) = person {
        arguments.extend([format!("--uid={}", owner.user).into(), format!("--gid={}", owner.group).into()]);
        arguments.extend(group.map(|group| format!("--group={group}").into()));
    }
    arguments.extend([role.name().into(), "--config".into(), configuration.into()]);
    Program { path: OURSELVES.into(), arguments }
}

/// Drops everything and becomes the daemon; returns only when that failed.
pub fn run(launch: &Launch) -> ExitCode {
    let person = launch.uid.zip(launch.gid).map(|(uid, gid)| Person {
        owner: Owner { user: Uid::from_raw(uid), group: Gid::from_raw(gid) },
        group: launch.group.map(Gid::from_raw),
    });
    let error = match drop_everything(person) {
        Ok(()) => Command::new(OURSELVES)
            .arg0("mailstead")
            .args(&launch.role)
            .env("LISTEN_PID", std::process::id().to_string())
            .exec(),
        Err(error) => error,
    };
    // The log is the daemon's to set up; this line is all that there will be.
    eprintln!("mailstead launch {}: {error}", launch.role[0].display());
    Exit::System.into()
}

fn drop_everything(person: Option<Person>) -> io::Result<()> {
    close_strangers();
    // The mask is inherited, and a daemon that cannot be told to stop would have to be killed.
    signals::unblock()?;
    // As many connections as the system allows without asking for more. Fewer work too.
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
    if let Some(person) = person {
        become_person(person)?;
    }
    prctl::set_no_new_privs()?;
    // Killed without a chance to stop its daemons, process 1 leaves none behind: whoever starts it again must not
    // find two MTAs at one queue. Changing the user resets this, so it comes last.
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    Ok(())
}

/// Closes what whoever started process 1 had left open without wanting to. Our own descriptors close themselves, but
/// for the three standard ones and those that were passed, which follow them.
fn close_strangers() {
    let passed = std::env::var("LISTEN_FDS").ok().and_then(|count| count.parse().ok()).unwrap_or(0);
    let Ok(listing) = std::fs::read_dir("/proc/self/fd") else { return };
    let open: Vec<i32> = listing.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    for stranger in open.into_iter().filter(|descriptor| *descriptor >= FIRST_PASSED + passed) {
        // The listing's own descriptor is among them, and closed by now.
        let _ = nix::unistd::close(stranger);
    }
}

/// Becomes the user, for good and without any capability.
fn become_person(person: Person) -> io::Result<()> {
    // The bounding set can be emptied only while we still have capabilities, and only with CAP_SETPCAP. Without it
    // the set stays as the container's engine made it, and no-new-privileges keeps anybody from using it.
    let _ = caps::clear(None, CapSet::Bounding);
    setgroups(person.group.as_slice())?;
    let Owner { user, group } = person.owner;
    setresgid(group, group, group)?;
    setresuid(user, user, user)?;
    // Becoming somebody else than root has emptied the effective, permitted and ambient sets already. The inheritable
    // one is left, and that all are empty must not depend on a flag that somebody set before us.
    for set in [CapSet::Ambient, CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        caps::clear(None, set).map_err(io::Error::other)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        launch: Launch,
    }

    #[test]
    fn what_process_1_writes_the_launcher_reads() {
        let owner = Owner { user: Uid::from_raw(101), group: Gid::from_raw(102) };
        for person in [
            None,
            Some(Person { owner, group: None }),
            Some(Person { owner, group: Some(Gid::from_raw(100)) }),
        ] {
            let program = program(Role::Mta, Path::new("/run/mta.toml"), person);
            let read = CommandLine::try_parse_from(program.arguments).unwrap().launch;
            assert_eq!(read.role, ["mta", "--config", "/run/mta.toml"]);
            assert_eq!(read.uid, person.map(|_| 101));
            assert_eq!(read.gid, person.map(|_| 102));
            assert_eq!(read.group, person.and_then(|person| person.group).map(Gid::as_raw));
        }
    }
}
