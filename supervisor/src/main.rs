//! `mailstead`: one program that runs every process of the appliance under a role.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use nix::sys::prctl;
use supervisor::demo::{self, Demo};
use supervisor::dns::{self, Dns};
use supervisor::doctor::{self, Doctor};
use supervisor::exit::Exit;
use supervisor::init::launch::{self, Launch};
use supervisor::operator::{self, AliasCommand, AppPasswordCommand, HashPassword, UserCommand};
use supervisor::plan::{self, PlanArguments};
use supervisor::{health, init, steward};

/// A complete mail server in one program: SMTP, IMAP, certificates, DNS records and checks.
///
/// Without a command it is process 1 of its container: it reads the environment, prepares the volume, binds the
/// ports, and runs the daemons. To try it out on any machine, run `mailstead demo`.
#[derive(Debug, Parser)]
#[command(name = "mailstead", version)]
struct CommandLine {
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Run the whole server to try it out, without root; Ctrl-C stops it.
    Demo(Demo),
    /// Check DNS records, ports, certificate and machine; the exit status is the worst severity.
    Check(Doctor),
    /// Print the DNS records that the domains need, or publish them.
    Dns(Dns),
    /// Manage users.
    User(UserCommand),
    /// Manage aliases.
    Alias(AliasCommand),
    /// Manage app passwords, one for each device.
    AppPassword(AppPasswordCommand),
    /// Hash a password for MAIL_USERS.
    HashPassword(HashPassword),
    /// Print the health of the server; the exit status is 0 while mail is served.
    Health {
        /// The steward's configuration.
        #[arg(long, value_name = "FILE", default_value = "/run/mailstead/steward.toml")]
        config: PathBuf,
        /// The folder of a `mailstead demo`, instead of a configuration.
        #[arg(long, value_name = "DIR", conflicts_with = "config")]
        dir: Option<PathBuf>,
        /// Print the whole report as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print what a start with this environment would change; the exit status is 3 if anything would.
    Plan(PlanArguments),
    /// Run the daemon that receives and sends mail.
    Mta(Configured),
    /// Run the daemon that stores mail and serves it.
    Mda(Configured),
    /// Run the daemon that reports the health and obtains the certificate.
    Steward(Configured),
    /// Drop all privileges and become a daemon; process 1 uses it.
    #[command(hide = true)]
    Launch(Launch),
}

#[derive(Debug, Args)]
struct Configured {
    /// The daemon's configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

fn main() -> ExitCode {
    // Without a role nothing may come before the signals are blocked, not even parsing the command line.
    if std::env::args_os().len() == 1 {
        return init::run();
    }
    match CommandLine::try_parse() {
        Ok(CommandLine { role: None }) => init::run(),
        Ok(CommandLine { role: Some(role) }) => run(&role),
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Stopped };
            let _ = error.print();
            exit.into()
        }
    }
}

fn run(role: &Role) -> ExitCode {
    match role {
        Role::Demo(demo) => demo::run(demo),
        Role::Check(doctor) => doctor::run(doctor),
        Role::Dns(dns) => dns::run(dns),
        Role::User(command) => operator::user(command),
        Role::Alias(command) => operator::alias(command),
        Role::AppPassword(command) => operator::app_password(command),
        Role::HashPassword(command) => operator::hash_password(command),
        Role::Health { dir: Some(dir), json, .. } => health::run(&dir.join("run/steward.toml"), *json),
        Role::Health { config, dir: None, json } => health::run(config, *json),
        Role::Plan(wanted) => plan::run(wanted),
        Role::Mta(Configured { config }) => daemon(c"mailstead-mta", || mta::run(config)),
        Role::Mda(Configured { config }) => daemon(c"mailstead-mda", || mda::run(config)),
        Role::Steward(Configured { config }) => daemon(c"steward", || steward::run(config)),
        Role::Launch(launch) => launch::run(launch),
    }
}

/// Gives the process the name by which `ps` and `top` distinguish the daemons, of fifteen octets at most, and keeps it
/// from executing or starting another program.
fn daemon(name: &std::ffi::CStr, run: impl FnOnce() -> ExitCode) -> ExitCode {
    // Only the name would be missing, and without filters in the kernel process 1 has reported it.
    let _ = prctl::set_name(name);
    let _ = launch::seal();
    run()
}
