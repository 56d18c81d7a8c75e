//! The developer's commands: `cargo xtask VERB`. CI runs nothing else, so a local run gives the same result.
//!
//! Each is a list of commands, run in order from the top of the repository; the first that fails ends the
//! list. Every command is printed before it runs.

mod dependencies;
mod fuzz;
mod language;
mod paths;
mod steps;
mod versions;

use std::process::ExitCode;

use steps::{Step, cargo, mailstead_binary, run_all, script};

const USAGE: &str = "\
usage: cargo xtask VERB

  check          format, lints, links, wording and the paths in documents: before each commit
  test           check, the rules about dependencies, and every test there is
  acceptance     `mailstead demo`, tested with curl, swaks, imaplib and dkimpy
  image          build the container image, start it with compose.yaml, test it from outside
  image-archive [FILE]             the image as a file for `docker load`, made without a container engine
  network        that image on a test network of its own: DNS, an ACME authority, Postfix, a user's machine
  doctor         the faults of DNS that the doctor finds, on the same network without an engine
  clients        Thunderbird, Geary and Roundcube in windows, on the same network; installs them where they are missing
  fuzz [SECONDS [TARGET]]          the fuzz targets of the protocol crates, each for a minute or for SECONDS
  fuzz-daemons [SECONDS [TARGET]]  those that need a daemon or process 1, which take long to build
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["check"] => check(),
        ["test"] => test(),
        ["acceptance"] => acceptance(),
        ["image"] => image(),
        ["image-archive", ref rest @ ..] => image_archive(rest),
        ["network"] => network(),
        ["doctor"] => doctor(),
        ["clients"] => clients(),
        ["fuzz", ref rest @ ..] => fuzz(fuzz::PURE, rest),
        ["fuzz-daemons", ref rest @ ..] => fuzz(fuzz::DAEMONS, rest),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(64);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> Result<(), String> {
    run_all([
        cargo(["fmt", "--all", "--check"]),
        cargo(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        // A renamed item leaves dead links in comments, also in those of private items.
        cargo(["doc", "--locked", "--workspace", "--no-deps", "--document-private-items", "--quiet"])
            .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links"),
    ])?;
    paths::check_documents()?;
    language::is_plain()
}

fn test() -> Result<(), String> {
    check()?;
    versions::agree()?;
    dependencies::check()?;
    run_all([
        every_target(),
        cargo(["test", "--locked", "--workspace", "--no-fail-fast"])
            .env("MAILSTEAD_BIN", mailstead_binary()?),
    ])
}

fn fuzz(workspace: &str, arguments: &[&str]) -> Result<(), String> {
    let (seconds, target) = match *arguments {
        [] => (None, None),
        [seconds] => (Some(seconds), None),
        [seconds, target] => (Some(seconds), Some(target)),
        _ => return Err("usage: cargo xtask fuzz [SECONDS [TARGET]]".to_owned()),
    };
    let seconds = match seconds {
        Some(text) => text.parse().map_err(|_| format!("{text:?} is not a number of seconds"))?,
        None => fuzz::SECONDS,
    };
    fuzz::targets(workspace, seconds, target)
}

fn acceptance() -> Result<(), String> {
    run_all([every_target(), script("tests/acceptance/run.sh").env("MAILSTEAD_BIN", mailstead_binary()?)])
}

fn image() -> Result<(), String> {
    run_all([script("tests/image/run.sh")])
}

fn image_archive(arguments: &[&str]) -> Result<(), String> {
    match *arguments {
        [] => run_all([script("image/archive.sh")]),
        [file] => run_all([script("image/archive.sh").argument(file)]),
        _ => Err("usage: cargo xtask image-archive [FILE]".to_owned()),
    }
}

fn network() -> Result<(), String> {
    run_all([script("tests/network/run.sh")])
}

fn doctor() -> Result<(), String> {
    run_all([every_target(), script("tests/network/doctor.sh").env("MAILSTEAD_BIN", mailstead_binary()?)])
}

fn clients() -> Result<(), String> {
    run_all([every_target(), script("tests/clients/run.sh").env("MAILSTEAD_BIN", mailstead_binary()?)])
}

/// One build of all targets: the flows start the program itself, which `cargo test` alone does not build, and a build
/// of the program alone would select other features of the dependencies and so compile them a second time.
fn every_target() -> Step {
    cargo(["build", "--locked", "--workspace", "--all-targets"])
}
