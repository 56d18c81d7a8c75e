//! A delivery status notification (RFC 3461 §6, RFC 3462, RFC 3464): what we tell a sender of ours about
//! mail that could not be delivered, or not yet.

use address::Address;

use super::fold::{ascii, comment, field, word};
use crate::{DateTime, crlf::to_crlf, field::fields};

/// How much of the original's header goes back.
const RETURNED_HEADER: usize = 64 * 1024;

/// All that a report says. The envelope's sender is the null path; the recipient is [`Report::to`].
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// Our host name.
    pub reporting_host: &'a str,
    /// The original's envelope sender.
    pub to: &'a Address,
    /// When the report is written.
    pub date: DateTime,
    /// When the original arrived here.
    pub arrived: DateTime,
    /// Our identifier of the original.
    pub queue_id: &'a str,
    /// A word that no other report of this host has: it becomes the Message-ID and the boundary.
    pub unique: &'a str,
    /// ENVID of the submission, when there was one (RFC 3461 §4.4).
    pub envelope_id: Option<&'a str>,
    /// One for each recipient that the report is about.
    pub recipients: Vec<RecipientReport<'a>>,
    /// The original message or its beginning; only its header is returned.
    pub original: &'a [u8],
}

/// What became of one recipient.
#[derive(Debug, Clone)]
pub struct RecipientReport<'a> {
    /// The address we tried.
    pub recipient: &'a Address,
    /// The address as the sender wrote it, when it was another one.
    pub original_recipient: Option<&'a Address>,
    /// What happened.
    pub action: Action,
    /// The enhanced status code, such as `5.1.1` (RFC 3463).
    pub status: &'a str,
    /// The host that answered.
    pub remote_host: Option<&'a str>,
    /// Its answer with the code, or our own words when there was none.
    pub diagnostic: Option<&'a str>,
    /// When it was last tried.
    pub last_attempt: Option<DateTime>,
}

/// RFC 3464 §2.3.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Given up.
    Failed,
    /// Still being tried, until the given time.
    Delayed {
        /// When we will give up.
        until: DateTime,
    },
}

impl Report<'_> {
    /// The whole message, CRLF and all.
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
        let subject = if self.failed() { "Undelivered mail returned to sender" } else { "Mail is delayed" };
        put(out, "From", &format!("Mail Delivery System <postmaster@{}>", word(self.reporting_host)));
        put(out, "To", &format!("<{}>", self.to));
        put(out, "Subject", subject);
        put(out, "Date", &self.date.rfc5322());
        out.extend_from_slice(super::message_id_field(self.unique, self.reporting_host).as_bytes());
        // RFC 3834 §5: nobody's autoresponder may answer this.
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
        line(out, &format!("This is the mail server at {}.", word(self.reporting_host)));
        line(out, "");
        if self.failed() {
            line(
                out,
                "Your message could not be delivered to the following recipients. It will not be tried again.",
            );
        } else {
            line(out, "Your message is not delivered yet. You need not send it again; we keep trying:");
        }
        for recipient in &self.recipients {
            line(out, "");
            line(out, &format!("<{}>", recipient.recipient));
            if let Some(host) = recipient.remote_host {
                line(out, &format!("    {} answered:", word(host)));
            }
            if let Some(diagnostic) = recipient.diagnostic {
                line(out, &format!("    {diagnostic}"));
            }
            if let Action::Delayed { until } = recipient.action {
                line(out, &format!("    We try until {}.", until.rfc5322()));
            }
        }
    }

    /// ```abnf
    /// delivery-status-content = per-message-fields 1*( CRLF per-recipient-fields )
    /// ```
    fn status(&self, out: &mut Vec<u8>) {
        if let Some(envelope_id) = self.envelope_id {
            put(out, "Original-Envelope-Id", envelope_id);
        }
        put(out, "Reporting-MTA", &format!("dns; {}", word(self.reporting_host)));
        put(out, "X-Queue-ID", &word(self.queue_id));
        put(out, "Arrival-Date", &self.arrived.rfc5322());
        for recipient in &self.recipients {
            line(out, "");
            if let Some(original) = recipient.original_recipient {
                put(out, "Original-Recipient", &typed_address(original));
            }
            put(out, "Final-Recipient", &typed_address(recipient.recipient));
            let action = if recipient.action == Action::Failed { "failed" } else { "delayed" };
            put(out, "Action", action);
            put(out, "Status", &word(recipient.status));
            if let Some(host) = recipient.remote_host {
                put(out, "Remote-MTA", &format!("dns; {}", word(host)));
            }
            if let Some(diagnostic) = recipient.diagnostic {
                // RFC 3464 §2.3.6: only a server's answer is of type smtp.
                let kind = if recipient.remote_host.is_some() { "smtp" } else { "X-Mailstead" };
                put(out, "Diagnostic-Code", &format!("{kind}; {}", comment(&ascii(diagnostic))));
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

    /// Whole fields of the original's header, as many as fit.
    fn returned_header(&self) -> Vec<u8> {
        let whole = fields(self.original).take_while(|field| field.end <= RETURNED_HEADER);
        let mut header = Vec::new();
        for field in whole {
            header.extend_from_slice(&self.original[field.start..field.end]);
        }
        header.retain(|octet| *octet != 0);
        to_crlf(&header)
    }

    /// A boundary that the returned header does not contain, even when a stranger guessed it.
    fn boundary(&self, header: &[u8]) -> String {
        let unique: String = self.unique.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        let mut boundary = format!("report-{unique}");
        while memchr::memmem::find(header, boundary.as_bytes()).is_some() && boundary.len() < 70 {
            boundary.push('=');
        }
        boundary
    }
}

/// RFC 3464 §2.3.2 and RFC 6533 §3: an address beyond ASCII is of type utf-8.
fn typed_address(address: &Address) -> String {
    let text = address.to_string();
    format!("{}; {text}", if text.is_ascii() { "rfc822" } else { "utf-8" })
}

fn put(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(field(name, value).as_bytes());
}

/// One line of text. Control characters in it become spaces, but for the line ends that we write in front
/// of a boundary.
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
