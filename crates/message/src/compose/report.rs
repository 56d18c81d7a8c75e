//! A delivery status notification (RFC 3461 §6, RFC 3462, RFC 3464), which informs a local sender about
//! mail that could not be delivered, or not yet.

use address::{Address, ReversePath};

use super::fold::{ascii_only, escaped_comment, field, sanitized_word};
use crate::{DateTime, crlf::to_crlf, field::fields};

/// The most octets of the original's header that are returned.
const RETURNED_HEADER: usize = 64 * 1024;

/// The content of a report. Its envelope sender is the null path; its recipient is [`DeliveryReport::to`].
#[derive(Debug, Clone)]
pub struct DeliveryReport<'a> {
    /// Our host name.
    pub reporting_host: &'a str,
    /// The address that the report goes to: the original's envelope sender, or a user here.
    pub to: &'a Address,
    /// The person that the report is written for.
    pub reader: Reader<'a>,
    /// The time at which the report is written.
    pub date: DateTime,
    /// The time at which the original arrived here.
    pub arrived: DateTime,
    /// Our identifier of the original.
    pub queue_id: &'a str,
    /// A word that is unique among the reports of this host: it becomes the Message-ID and the boundary.
    pub unique: &'a str,
    /// ENVID of the submission, if it had one (RFC 3461 §4.4).
    pub envelope_id: Option<&'a str>,
    /// One for each recipient that the report is about.
    pub recipients: Vec<RecipientReport<'a>>,
    /// The original message or its beginning; only its header is returned.
    pub original: &'a [u8],
}

/// The person that a report is written for.
#[derive(Debug, Clone, Copy)]
pub enum Reader<'a> {
    /// The sender of the message.
    Sender,
    /// A user of this server, in place of a sender whose address may be forged.
    User {
        /// The original's envelope sender.
        sender: &'a ReversePath,
        /// The alias that forwards to the recipients; `None` when they are mailboxes here.
        alias: Option<&'a Address>,
        /// The number of messages that failed in the same way and were not reported.
        unreported: u64,
    },
}

/// The status of one recipient.
#[derive(Debug, Clone)]
pub struct RecipientReport<'a> {
    /// The address that was tried.
    pub recipient: &'a Address,
    /// The address as the sender wrote it, if it differs.
    pub original_recipient: Option<&'a Address>,
    /// The outcome.
    pub action: Action,
    /// The enhanced status code, such as `5.1.1` (RFC 3463).
    pub status: &'a str,
    /// The host that replied.
    pub remote_host: Option<&'a str>,
    /// Its reply with the code, or our own text when there was no reply.
    pub diagnostic: Option<&'a str>,
    /// The time of the last attempt.
    pub last_attempt: Option<DateTime>,
}

/// The action that a report is about (RFC 3464 §2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Delivery was given up.
    Failed,
    /// Delivery is retried until the given time.
    Delayed {
        /// The time at which delivery will be given up.
        until: DateTime,
    },
}

impl DeliveryReport<'_> {
    /// The complete message with CRLF line ends.
    pub fn compose(&self) -> Vec<u8> {
        let header = self.returned_header();
        let boundary = self.boundary(&header);
        let eight_bit = header.iter().any(|octet| !octet.is_ascii());
        let mut out = Vec::new();
        self.top(&boundary, &mut out);
        line(&mut out, &format!("--{boundary}"));
        line(&mut out, "Content-Type: text/plain; charset=utf-8");
        line(&mut out, "Content-Transfer-Encoding: 8bit");
        line(&mut out, "");
        self.explanation(&mut out);
        line(&mut out, &format!("\r\n--{boundary}"));
        line(&mut out, "Content-Type: message/delivery-status");
        line(&mut out, "");
        self.status(&mut out);
        line(&mut out, &format!("--{boundary}"));
        line(&mut out, "Content-Type: text/rfc822-headers");
        line(&mut out, &format!("Content-Transfer-Encoding: {}", if eight_bit { "8bit" } else { "7bit" }));
        line(&mut out, "");
        out.extend_from_slice(&header);
        line(&mut out, &format!("\r\n--{boundary}--"));
        out
    }

    fn failed(&self) -> bool {
        self.recipients.iter().any(|recipient| recipient.action == Action::Failed)
    }

    fn top(&self, boundary: &str, out: &mut Vec<u8>) {
        let subject = match (self.reader, self.failed()) {
            (Reader::User { alias: Some(alias), .. }, _) => format!("Mail to {alias} cannot be forwarded"),
            (Reader::User { alias: None, .. }, _) => "Incoming mail could not be delivered".to_owned(),
            (Reader::Sender, true) => "Undelivered mail returned to sender".to_owned(),
            (Reader::Sender, false) => "Mail is delayed".to_owned(),
        };
        put(
            out,
            "From",
            &format!("Mail Delivery System <postmaster@{}>", sanitized_word(self.reporting_host)),
        );
        put(out, "To", &format!("<{}>", self.to));
        put(out, "Subject", &subject);
        put(out, "Date", &self.date.rfc5322());
        out.extend_from_slice(super::message_id_field(self.unique, self.reporting_host).as_bytes());
        // RFC 3834 §5: autoresponders must not answer this.
        put(out, "Auto-Submitted", "auto-replied");
        put(out, "MIME-Version", "1.0");
        put(
            out,
            "Content-Type",
            &format!("multipart/report; report-type=delivery-status; boundary=\"{boundary}\""),
        );
        line(out, "");
    }

    /// The part for a person (RFC 3462 §1).
    fn explanation(&self, out: &mut Vec<u8>) {
        line(out, &format!("This is the mail server at {}.", sanitized_word(self.reporting_host)));
        line(out, "");
        if let Reader::User { alias, .. } = self.reader {
            let failure = match alias {
                Some(alias) => {
                    format!("A message to <{alias}> could not be forwarded to the following addresses.")
                }
                None => "A message could not be delivered to the following mailboxes.".to_owned(),
            };
            line(out, &format!("{failure} The server will not try again."));
        } else if self.failed() {
            line(
                out,
                "Your message could not be delivered to the following recipients. The server will not try again.",
            );
        } else {
            line(
                out,
                "Your message has not been delivered yet to the following recipients. You need not send it again:",
            );
        }
        for recipient in &self.recipients {
            line(out, "");
            line(out, &format!("<{}>", recipient.recipient));
            if let Some(host) = recipient.remote_host {
                line(out, &format!("    {} answered:", sanitized_word(host)));
            }
            if let Some(diagnostic) = recipient.diagnostic {
                line(out, &format!("    {diagnostic}"));
            }
            if let Action::Delayed { until } = recipient.action {
                line(out, &format!("    The server will try until {}.", until.rfc5322()));
            }
        }
        if let Reader::User { sender, alias, unreported } = self.reader {
            advice(out, sender, alias, unreported);
        }
    }

    /// The part for programs (RFC 3464 §2).
    ///
    /// ```abnf
    /// delivery-status-content = per-message-fields 1*( CRLF per-recipient-fields )
    /// ```
    fn status(&self, out: &mut Vec<u8>) {
        if let Some(envelope_id) = self.envelope_id {
            put(out, "Original-Envelope-Id", envelope_id);
        }
        put(out, "Reporting-MTA", &format!("dns; {}", sanitized_word(self.reporting_host)));
        put(out, "X-Queue-ID", &sanitized_word(self.queue_id));
        put(out, "Arrival-Date", &self.arrived.rfc5322());
        for recipient in &self.recipients {
            line(out, "");
            if let Some(original) = recipient.original_recipient {
                put(out, "Original-Recipient", &typed_address(original));
            }
            put(out, "Final-Recipient", &typed_address(recipient.recipient));
            let action = if recipient.action == Action::Failed { "failed" } else { "delayed" };
            put(out, "Action", action);
            put(out, "Status", &sanitized_word(recipient.status));
            if let Some(host) = recipient.remote_host {
                put(out, "Remote-MTA", &format!("dns; {}", sanitized_word(host)));
            }
            if let Some(diagnostic) = recipient.diagnostic {
                // RFC 3464 §2.3.6: only a server's reply is of type smtp.
                let kind = if recipient.remote_host.is_some() { "smtp" } else { "X-Mailstead" };
                put(out, "Diagnostic-Code", &format!("{kind}; {}", escaped_comment(&ascii_only(diagnostic))));
            }
            if let Some(date) = recipient.last_attempt {
                put(out, "Last-Attempt-Date", &date.rfc5322());
            }
            if let Action::Delayed { until } = recipient.action {
                put(out, "Will-Retry-Until", &until.rfc5322());
            }
        }
        line(out, "");
    }

    /// Complete fields of the original's header, as many as fit.
    fn returned_header(&self) -> Vec<u8> {
        let whole = fields(self.original).take_while(|field| field.end <= RETURNED_HEADER);
        let mut header = Vec::new();
        for field in whole {
            header.extend_from_slice(&self.original[field.start..field.end]);
        }
        header.retain(|octet| *octet != 0);
        to_crlf(&header)
    }

    /// A boundary that the returned header does not contain, even if its author guessed it.
    fn boundary(&self, header: &[u8]) -> String {
        let unique: String = self.unique.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        let mut boundary = format!("report-{unique}");
        while memchr::memmem::find(header, boundary.as_bytes()).is_some() && boundary.len() < 70 {
            boundary.push('=');
        }
        boundary
    }
}

/// The rest of the explanation for a user here: the sender, and what to do.
fn advice(out: &mut Vec<u8>, sender: &ReversePath, alias: Option<&Address>, unreported: u64) {
    line(out, "");
    line(
        out,
        &format!(
            "The message gave {sender} as its sender. That address may be forged, so no report was sent to it."
        ),
    );
    line(out, "The header of the message is attached.");
    line(out, "");
    match alias {
        Some(alias) => {
            line(
                out,
                "What to do: check that the address above exists and accepts mail from this server. If not, ask the",
            );
            line(
                out,
                &format!(
                    "operator of this server to remove it from the destinations of <{alias}>, or to replace it."
                ),
            );
        }
        None => {
            line(
                out,
                "What to do: remove the cause named above (for a full mailbox: delete mail in it, or raise its quota),",
            );
            line(out, "then ask the sender to send the message again.");
        }
    }
    line(out, "");
    line(out, "Further failures of the same kind are reported once a day.");
    if unreported > 0 {
        line(
            out,
            &format!("Messages that failed since the last report and were not reported: {unreported}."),
        );
    }
}

/// An address with its type: `rfc822` (RFC 3464 §2.3.2), or `utf-8` beyond ASCII. `message/delivery-status` is ASCII, so
/// the latter is encoded as `utf-8-addr-xtext` (RFC 6533 §3): `utf-8; jos\x{E9}@example.net`.
fn typed_address(address: &Address) -> String {
    let text = address.to_string();
    if text.is_ascii() {
        return format!("rfc822; {text}");
    }
    let mut encoded = "utf-8; ".to_owned();
    for c in text.chars() {
        if c.is_ascii_graphic() && !matches!(c, '+' | '=' | '\\') {
            encoded.push(c);
        } else {
            encoded.push_str(&format!("\\x{{{:02X}}}", u32::from(c)));
        }
    }
    encoded
}

fn put(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(field(name, value).as_bytes());
}

/// One line of text. Control characters in it become spaces, except for the line ends that we write before
/// a boundary.
fn line(out: &mut Vec<u8>, text: &str) {
    let text = match text.strip_prefix("\r\n--") {
        Some(boundary) => {
            out.extend_from_slice(b"\r\n--");
            boundary
        }
        None => text,
    };
    out.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().into_bytes());
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_beyond_ascii_is_encoded() {
        for (address, typed) in [
            ("bob+x@example.net", "rfc822; bob+x@example.net"),
            ("jos\u{e9}@example.net", "utf-8; jos\\x{E9}@example.net"),
            ("\u{1f600}+a=b@example.net", "utf-8; \\x{1F600}\\x{2B}a\\x{3D}b@example.net"),
            ("\"jos\u{e9} m\"@example.net", "utf-8; \"jos\\x{E9}\\x{20}m\"@example.net"),
        ] {
            assert_eq!(typed_address(&Address::parse(address).unwrap()), typed);
        }
    }
}
