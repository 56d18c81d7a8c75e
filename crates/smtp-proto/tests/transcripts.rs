//! Plays `tests/transcripts/{smtp,submission,lmtp}` against the pure session. The format is described next to them.

#[path = "transcripts/player.rs"]
mod player;
#[path = "transcripts/server.rs"]
mod server;

use std::path::Path;

use smtp_proto::Dialect;
use transcript::Script;

/// Plays every file of a folder, and reports all failures.
fn play(folder: &str, dialect: Dialect) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts").join(folder);
    let entries = std::fs::read_dir(folder).expect("the transcripts are beside the crates");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    assert!(!files.is_empty());
    let failures: Vec<String> = files
        .iter()
        .filter_map(|file| {
            let text = std::fs::read_to_string(file).expect("a transcript is text");
            let script = Script::parse(&text).map_err(|fault| fault.to_string());
            let failure = script
                .and_then(|script| {
                    if script.requirements.only_daemons { Ok(()) } else { player::play(&script, dialect) }
                })
                .err()?;
            Some(format!("{}: {failure}", file.display()))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn smtp() {
    play("smtp", Dialect::Smtp);
}

#[test]
fn submission() {
    play("submission", Dialect::Submission);
}

#[test]
fn lmtp() {
    play("lmtp", Dialect::Lmtp);
}
