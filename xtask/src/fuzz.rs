//! Every fuzz target for a while. The targets lie in `fuzz/`, a workspace of its own, as they need a nightly compiler.

use std::process::Command;

use crate::steps::top;

/// Runs each target for `seconds`; all are run even when one crashes, and the crashed ones are named at the end.
pub(crate) fn every_target(seconds: u32) -> Result<(), String> {
    let mut crashed = Vec::new();
    for target in targets()? {
        eprintln!("xtask: fuzz {target} for {seconds} s");
        let status = Command::new("cargo")
            .args(["+nightly", "fuzz", "run", &target, "--"])
            .args([format!("-max_total_time={seconds}"), "-rss_limit_mb=2048".into(), "-timeout=10".into()])
            .current_dir(top().join("fuzz"))
            .status()
            .map_err(|error| format!("could not start cargo fuzz: {error}"))?;
        if !status.success() {
            crashed.push(target);
        }
    }
    if crashed.is_empty() { Ok(()) } else { Err(format!("crashed: {}", crashed.join(", "))) }
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
