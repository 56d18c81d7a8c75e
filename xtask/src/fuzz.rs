//! Every fuzz target for a while. The targets lie in `fuzz/`, a workspace of its own, as they need a nightly compiler, and
//! beside them, in `seeds/`, what some of them begin with; what is found goes to `corpus/`, which is not kept.

use std::process::Command;

use crate::steps::top;

/// Runs each target for `seconds`; all are run even when one crashes, and the crashed ones are named at the end.
pub(crate) fn every_target(seconds: u32) -> Result<(), String> {
    let mut crashed = Vec::new();
    for target in targets()? {
        eprintln!("xtask: fuzz {target} for {seconds} s");
        if !run(&target, seconds)? {
            crashed.push(target);
        }
    }
    if crashed.is_empty() { Ok(()) } else { Err(format!("crashed: {}", crashed.join(", "))) }
}

/// Whether a target came through.
fn run(target: &str, seconds: u32) -> Result<bool, String> {
    let folder = top().join("fuzz");
    let (corpus, seeds) = (format!("corpus/{target}"), format!("seeds/{target}"));
    std::fs::create_dir_all(folder.join(&corpus))
        .map_err(|error| format!("could not make {corpus}: {error}"))?;
    let seeds = folder.join(&seeds).is_dir().then_some(seeds);
    let status = Command::new("cargo")
        .args(["+nightly", "fuzz", "run", target, &corpus])
        .args(seeds)
        .args(["--", &format!("-max_total_time={seconds}"), "-rss_limit_mb=2048", "-timeout=10"])
        .current_dir(folder)
        .status()
        .map_err(|error| format!("could not start cargo fuzz: {error}"))?;
    Ok(status.success())
}

/// The targets, by the names of their files.
fn targets() -> Result<Vec<String>, String> {
    let folder = top().join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&folder)
        .map_err(|error| format!("could not list {}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}
