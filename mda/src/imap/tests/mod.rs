//! Plays `tests/transcripts/imap` against sessions over a store in a scratch folder. The format is described beside them.

mod stage;

use std::path::Path;

use stage::Stage;
use transcript::Script;

#[tokio::test]
async fn every_transcript_is_what_the_session_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/transcripts/imap");
    let entries = std::fs::read_dir(folder).expect("the transcripts lie beside the crates");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let accounts = stage::accounts();
    let mut failures = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a transcript is text");
        let played = match Script::parse(&text) {
            Ok(script) => Stage::new(&script, &accounts).play().await,
            Err(fault) => Err(fault.to_string()),
        };
        failures.extend(played.err().map(|failure| format!("{}: {failure}", file.display())));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Plays a few lines, then lets the daemon stop, and gives what is heard of that.
async fn last_words(before: &str) -> String {
    let script = Script::parse(before).unwrap();
    let mut stage = Stage::new(&script, &stage::accounts());
    stage.play_on().await.unwrap();
    stage.stop();
    let line = stage.line(1).await.unwrap();
    String::from_utf8(line).unwrap()
}

#[tokio::test]
async fn a_daemon_that_stops_says_so_to_who_waits() {
    let words = last_words("over tls\nS: $*").await;
    assert_eq!(words, "* BYE [UNAVAILABLE] The server stops. Come back in a moment");
}

#[tokio::test]
async fn a_daemon_that_stops_says_so_to_who_idles() {
    let login = "over tls\nS: $*\nC: a LOGIN ann@example.org \"correct horse\"\nS: $*\n";
    let words = last_words(&format!("{login}C: b SELECT INBOX\nS~ b $*\nC: c IDLE\nS: + $*")).await;
    assert_eq!(words, "* BYE The server stops. Come back in a moment");
}
