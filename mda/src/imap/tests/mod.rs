//! Plays `tests/transcripts/imap` against sessions over a store in a scratch folder. Their format is described there.

mod gone;
mod player;

use std::path::Path;

use player::Player;
use transcript::Script;

#[tokio::test]
async fn sessions_match_every_transcript() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/transcripts/imap");
    let entries = std::fs::read_dir(folder).expect("the folder of transcripts exists");
    let mut files: Vec<_> =
        entries.map(|entry| entry.expect("a directory entry is readable").path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let accounts = player::accounts();
    let mut failures = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a transcript is readable UTF-8");
        let result = match Script::parse(&text) {
            Ok(script) => Player::new(&script, &accounts).play().await,
            Err(fault) => Err(fault.to_string()),
        };
        failures.extend(result.err().map(|failure| format!("{}: {failure}", file.display())));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Plays a few lines, stops the daemon, and returns the last responses.
async fn last_response(before: &str) -> String {
    let script = Script::parse(before).unwrap();
    let mut player = Player::new(&script, &player::accounts());
    player.play_on().await.unwrap();
    player.stop();
    let line = player.line(1).await.unwrap();
    String::from_utf8(line).unwrap()
}

#[tokio::test]
async fn a_client_between_commands_gets_a_bye_when_the_daemon_stops() {
    let words = last_response("over tls\nS: $*").await;
    assert_eq!(words, "* BYE [UNAVAILABLE] Server shutting down");
}

#[tokio::test]
async fn an_idling_client_gets_a_bye_when_the_daemon_stops() {
    let login = "over tls\nS: $*\nC: a LOGIN ann@example.org \"correct horse\"\nS: $*\n";
    let words = last_response(&format!("{login}C: b SELECT INBOX\nS~ b $*\nC: c IDLE\nS: + $*")).await;
    assert_eq!(words, "* BYE [UNAVAILABLE] Server shutting down");
}

const SENT: &str = r#"over tls
S: * OK $*
C: a LOGIN ann@example.org "correct horse"
S: a OK $*
C: b APPEND Sent {5+}
C: a: b\n
S: b OK $*
C: c SELECT Sent
S~ c OK $*
"#;

/// The responses to a command in a mailbox whose folder another program has just removed or renamed.
async fn without_folder(command: &str, vanish: impl Fn(&Path)) -> Vec<String> {
    let script = Script::parse(SENT).unwrap();
    let mut player = Player::new(&script, &player::accounts());
    player.play_on().await.unwrap();
    vanish(&player.maildir().join(".Sent"));
    player.queue_line(&format!("d {command}"));
    let mut lines = Vec::new();
    while let Ok(line) = player.line(1).await {
        lines.push(String::from_utf8(line).unwrap());
    }
    lines
}

/// A client shows a NO in a window; after a BYE it connects again.
#[tokio::test]
async fn a_selected_mailbox_that_is_gone_from_disk_ends_the_session_with_a_bye() {
    const BYE: &str = "* BYE [NONEXISTENT] Selected mailbox was deleted, renamed or restored";
    let removed = |folder: &Path| std::fs::remove_dir_all(folder).unwrap();
    let renamed = |folder: &Path| std::fs::rename(folder, folder.with_file_name(".Other")).unwrap();
    for command in ["FETCH 1 (BODY[])", "UID STORE 1 +FLAGS (\\Seen)", "COPY 1 Trash", "UID MOVE 1 Trash"] {
        assert_eq!(without_folder(command, removed).await, [BYE], "{command}");
    }
    for command in ["NOOP", "CHECK"] {
        let done = format!("d OK {command} completed");
        assert_eq!(without_folder(command, removed).await, [done.as_str(), BYE]);
        assert_eq!(without_folder(command, renamed).await, [done.as_str(), BYE]);
    }
    assert_eq!(without_folder("IDLE", removed).await, ["+ idling", BYE]);
    assert_eq!(without_folder("IDLE", renamed).await, ["+ idling", BYE]);
}
