//! The part of an IMAP client that is needed to find one message, read it, and empty the mailbox (RFC 3501).

use std::io;
use std::time::Duration;

use handover::config::Heartbeat;
use rustls::pki_types::ServerName;
use serve::tls::Connector;
use serve::{ReceiveOutcome, Stream};

use super::{BeatFailure, Step, smtp};

/// Timeout for the server's next data.
const REPLY_TIMEOUT: Duration = Duration::from_secs(20);
/// Limit of a literal. Our own message has a kilobyte, and its trace fields some more.
const MAX_LEN: usize = 64 * 1024;

/// A selected mailbox.
pub(super) struct Mailbox {
    stream: Stream,
    /// Received data that is not parsed yet.
    unread: Vec<u8>,
    tags: u32,
}

impl Mailbox {
    /// Connects, logs in and selects the INBOX.
    pub(super) async fn open(heartbeat: &Heartbeat, trusted: &Connector) -> Result<Self, BeatFailure> {
        let stream = smtp::connect(heartbeat.imaps, Step::Open).await?;
        // The server's name is not verified; its key is.
        let name = ServerName::IpAddress(std::net::IpAddr::from([127, 0, 0, 1]).into());
        let stream = stream
            .secure_to(trusted, name, &[])
            .await
            .map_err(|error| BeatFailure::new(Step::Open, error.to_string()))?;
        let mut mailbox = Self { stream, unread: Vec::new(), tags: 0 };
        let greeting =
            mailbox.line().await.map_err(|error| BeatFailure::new(Step::Open, error.to_string()))?;
        if !greeting.starts_with(b"* OK") {
            return Err(BeatFailure::new(Step::Open, String::from_utf8_lossy(&greeting)));
        }
        let login = format!("LOGIN \"{}\" \"{}\"", heartbeat.address, heartbeat.password.reveal());
        mailbox.command(Step::LogIn, &login).await?;
        mailbox.command(Step::LogIn, "SELECT INBOX").await?;
        Ok(mailbox)
    }

    /// Fetches the message with that `Message-ID`.
    pub(super) async fn fetch(&mut self, message_id: &str) -> Result<Vec<u8>, BeatFailure> {
        let lost = |why: &str| BeatFailure::new(Step::Arrive, why);
        let search = format!("UID SEARCH HEADER Message-ID \"{message_id}\"");
        let answer = self.command(Step::Arrive, &search).await?;
        let text = String::from_utf8_lossy(&answer.untagged);
        let found = text.lines().find_map(|line| line.trim_end().strip_prefix("* SEARCH"));
        let uid: u32 = found
            .and_then(|uids| uids.split(' ').rev().find_map(|uid| uid.parse().ok()))
            .ok_or_else(|| lost("it was accepted and is not in the mailbox"))?;
        let answer = self.command(Step::Arrive, &format!("UID FETCH {uid} BODY.PEEK[]")).await?;
        answer.literal.ok_or_else(|| lost("it is in the mailbox and cannot be read"))
    }

    /// Removes all messages, including those of other local senders, and logs out.
    pub(super) async fn empty(mut self) -> Result<(), BeatFailure> {
        // In an empty mailbox `1:*` names no message, which some servers report as an error.
        let removed = async {
            self.command(Step::Remove, "UID STORE 1:* +FLAGS.SILENT (\\Deleted)").await?;
            self.command(Step::Remove, "EXPUNGE").await?;
            self.command(Step::Remove, "LOGOUT").await
        };
        let removed = removed.await.map(drop);
        self.stream.close().await;
        removed
    }

    async fn command(&mut self, step: Step, command: &str) -> Result<Answer, BeatFailure> {
        self.tags += 1;
        let tag = format!("h{}", self.tags);
        let exchange = async {
            self.stream.send(format!("{tag} {command}\r\n").as_bytes()).await?;
            self.answer(&tag).await
        };
        let (answer, tagged) =
            exchange.await.map_err(|error: io::Error| BeatFailure::new(step, error.to_string()))?;
        if tagged.starts_with("OK") { Ok(answer) } else { Err(BeatFailure::new(step, tagged)) }
    }

    /// Reads up to the tagged line, and returns the data and that line's text.
    async fn answer(&mut self, tag: &str) -> io::Result<(Answer, String)> {
        let mut answer = Answer::default();
        loop {
            let line = self.line().await?;
            let tagged = line.strip_prefix(tag.as_bytes()).and_then(|rest| rest.strip_prefix(b" "));
            if let Some(tagged) = tagged {
                return Ok((answer, String::from_utf8_lossy(tagged).into_owned()));
            }
            if let Some(length) = literal(&line) {
                while self.unread.len() < length {
                    self.more().await?;
                }
                answer.literal = Some(self.unread.drain(..length).collect());
            }
            // In a mailbox with many messages of others, only the first lines matter.
            if answer.untagged.len() < MAX_LEN {
                answer.untagged.extend_from_slice(&line);
                answer.untagged.extend_from_slice(b"\r\n");
            }
        }
    }

    /// Reads a line, without its line ending.
    async fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut seen = 0;
        loop {
            if let Some(end) = self.unread[seen..].windows(2).position(|pair| pair == b"\r\n") {
                let mut line: Vec<u8> = self.unread.drain(..seen + end + 2).collect();
                line.truncate(line.len() - 2);
                return Ok(line);
            }
            seen = self.unread.len().saturating_sub(1);
            self.more().await?;
        }
    }

    async fn more(&mut self) -> io::Result<()> {
        if self.unread.len() > MAX_LEN {
            return Err(io::Error::other("the response is too long"));
        }
        match self.stream.receive_within(REPLY_TIMEOUT, &mut self.unread).await {
            ReceiveOutcome::Octets(_) => Ok(()),
            ReceiveOutcome::End => Err(io::Error::other("the connection was closed")),
            ReceiveOutcome::Idle | ReceiveOutcome::Expired(_) => Err(io::Error::other("no response in time")),
        }
    }
}

/// The data before the tagged line of a response.
#[derive(Default)]
struct Answer {
    /// The untagged lines.
    untagged: Vec<u8>,
    /// The last literal.
    literal: Option<Vec<u8>>,
}

/// Parses `literal = "{" number "}" CRLF *CHAR8` at the end of a line. Returns the length of the literal, if it is
/// within the limit.
fn literal(line: &[u8]) -> Option<usize> {
    let inner = line.strip_suffix(b"}")?;
    let start = inner.iter().rposition(|octet| *octet == b'{')?;
    let length: usize = str::from_utf8(&inner[start + 1..]).ok()?.parse().ok()?;
    (length <= MAX_LEN).then_some(length)
}
