//! Runs every fuzz target for a while, on a stable toolchain: the passes that instrument code are the stable compiler's
//! too, and libFuzzer comes as a crate that needs a C++ compiler. No sanitizer is used, since our code has no `unsafe`;
//! the targets find panics, failed assertions, overflows, endless loops and unbounded memory.
//!
//! The targets of the protocol crates are in `fuzz/pure/`, a workspace of its own that builds in minutes. Those that
//! need a daemon or process 1 are in `fuzz/`, and take as long to build as the whole program. Beside the targets are
//! `seeds/` and `dictionaries/`, each by a target's name; findings go to `corpus/` and `artifacts/`, which are not
//! kept.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::steps::repository_root;

/// The workspace of the targets that depend on no runtime.
pub(crate) const PURE: &str = "fuzz/pure";

/// The workspace of the others.
pub(crate) const DAEMONS: &str = "fuzz";

/// The seconds for each target when no time is given.
pub(crate) const SECONDS: u32 = 60;

/// The instrumentation that libFuzzer uses: the blocks that were reached, and the values that were compared.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    --cfg fuzzing";

/// Runs each target of a workspace for `seconds`, or only the named one; all are run even when one crashes, and the
/// crashed ones are listed at the end.
pub(crate) fn targets(workspace: &str, seconds: u32, only: Option<&str>) -> Result<(), String> {
    let folder = repository_root().join(workspace);
    let all = names(&folder)?;
    let chosen: Vec<_> = all.iter().filter(|name| only.is_none_or(|only| only == *name)).collect();
    if chosen.is_empty() {
        return Err(format!("no such target in {workspace}; the targets are {}", all.join(", ")));
    }
    let built = build(&folder)?;
    let mut crashed = Vec::new();
    for target in chosen {
        eprintln!("xtask: fuzz {target} for {seconds} s");
        if !run(&folder, &built, target, seconds)? {
            crashed.push(target.clone());
        }
    }
    if crashed.is_empty() { Ok(()) } else { Err(format!("crashed: {}", crashed.join(", "))) }
}

/// Builds all targets, and returns the folder that contains them. A target triple is given so that build scripts and
/// macros are not instrumented.
fn build(folder: &Path) -> Result<PathBuf, String> {
    let host = host()?;
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--locked", "--release", "--bins", "--target", &host])
        .env("RUSTFLAGS", INSTRUMENTATION)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .current_dir(folder)
        .status()
        .map_err(|error| format!("could not start cargo: {error}"))?;
    if !status.success() {
        return Err(format!("the targets in {} do not build", folder.display()));
    }
    Ok(folder.join("target").join(host).join("release"))
}

/// The triple of this machine, as the compiler prints it.
fn host() -> Result<String, String> {
    let output = Command::new("rustc").arg("-vV").output();
    let output = output.map_err(|error| format!("could not start rustc: {error}"))?;
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = words.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not name its host".to_owned())
}

/// True if a target ran without a crash.
fn run(folder: &Path, built: &Path, target: &str, seconds: u32) -> Result<bool, String> {
    let (corpus, artifacts) = (format!("corpus/{target}"), format!("artifacts/{target}/"));
    for made in [&corpus, &artifacts] {
        std::fs::create_dir_all(folder.join(made))
            .map_err(|error| format!("could not make {made}: {error}"))?;
    }
    let seeds = format!("seeds/{target}");
    let seeds = folder.join(&seeds).is_dir().then_some(seeds);
    let dictionary = format!("dictionaries/{target}.dict");
    let dictionary = folder.join(&dictionary).is_file().then(|| format!("-dict={dictionary}"));
    let status = Command::new(built.join(target))
        .args([&format!("-artifact_prefix={artifacts}"), &format!("-max_total_time={seconds}")])
        .args(["-rss_limit_mb=2048", "-timeout=10", "-print_final_stats=1"])
        .args(dictionary)
        .arg(&corpus)
        .args(seeds)
        .current_dir(folder)
        .status()
        .map_err(|error| format!("could not start {target}: {error}"))?;
    Ok(status.success())
}

/// The targets, by their file names.
fn names(folder: &Path) -> Result<Vec<String>, String> {
    let folder = folder.join("fuzz_targets");
    let entries = std::fs::read_dir(&folder)
        .map_err(|error| format!("could not list {}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}
