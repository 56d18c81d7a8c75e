//! Runs every file of `transcripts/` against the running daemons.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tests::site::Site;
use tests::transcript::run;
use transcript::Script;

/// Each file gets a site of its own, so that none depends on what another left; as many run at once as there are cores.
#[test]
fn the_daemons_follow_every_transcript() {
    let files = files();
    assert!(!files.is_empty(), "there are no transcripts");
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((service, file)) = files.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Err(reason) = run_file(service, file) {
                        failed.lock().unwrap().push(format!("{}: {reason}", file.display()));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    println!("{} of {} transcripts pass", files.len() - failed.len(), files.len());
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

fn run_file(service: &str, file: &Path) -> Result<(), String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let script = Script::parse(&text).map_err(|fault| fault.to_string())?;
    if script.requirements.only_pure {
        return Ok(());
    }
    let mut site = Site::start_with(|plan| {
        plan.mta.quotas.default = script.requirements.quota;
        plan.mda.quotas.default = script.requirements.quota;
        if let Some(size) = script.requirements.message_size {
            plan.mta.limits.message_size = size;
            plan.mda.limits.message_size = size;
        }
    });
    run(&script, service, &site).map_err(|reason| {
        let log = if service == "imap" { site.mda().log() } else { site.mta().log() };
        format!("{reason}\n{log}")
    })
}

/// Each file and the service that its folder names.
fn files() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let mut found = Vec::new();
    for service in ["smtp", "submission", "lmtp", "imap"] {
        let entries = fs::read_dir(folder.join(service)).into_iter().flatten().flatten();
        let texts =
            entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ext| ext == "txt"));
        found.extend(texts.map(|path| (service.to_owned(), path)));
    }
    found.sort();
    found
}
