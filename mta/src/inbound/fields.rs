//! Fields that a message must not keep, and fields that it must have.

use address::Domain;
use message::{DateTime, Field, compose, field, message_id};
use serve::MailId;

use super::trace;
use crate::content::Content;

/// Fields of a submission that only its server may read: the recipients of blind copies (RFC 5322 §3.6.3, RFC 6409 §8),
/// and the field that final delivery alone writes (RFC 5321 §4.4).
const PRIVATE: [&str; 3] = ["Bcc", "Resent-Bcc", RETURN_PATH];

const RETURN_PATH: &str = "Return-Path";

/// Removes the private fields of a submission, and gives it a date and an identifier in valid syntax: "add or replace …
/// if it lacks one, or it is not valid syntax" (RFC 6409 §8.2, §8.3).
pub(super) fn complete(content: &mut Content, id: MailId, hostname: &Domain) {
    let (mut has_date, mut has_identifier) = (false, false);
    let mut removed = Vec::new();
    for field in field::fields(content.header()) {
        let is_kept = if field.is("Date") {
            is_first(&mut has_date, DateTime::parse(field.value).is_some())
        } else if field.is("Message-ID") {
            is_first(&mut has_identifier, !message_id::identifiers(field.value).is_empty())
        } else {
            !PRIVATE.iter().any(|name| field.is(name))
        };
        if !is_kept {
            removed.push(field.start..field.end);
        }
    }
    content.remove(&removed);
    let mut missing = String::new();
    if !has_date {
        missing.push_str(&compose::date_field(&trace::now()));
    }
    if !has_identifier {
        missing.push_str(&compose::message_id_field(id.as_str(), hostname.as_str()));
    }
    content.prepend(missing.as_bytes());
}

/// True if a field is the first valid one, of which there may be one (RFC 5322 §3.6).
fn is_first(found: &mut bool, is_valid: bool) -> bool {
    is_valid && !std::mem::replace(found, *found || is_valid)
}

/// Removes the return paths of a message from outside: final delivery writes one, and readers must find no other
/// (RFC 5321 §4.4). No signature covers them (RFC 6376 §5.4), so none breaks.
pub(super) fn remove_return_paths(content: &mut Content) {
    let fields = field::fields(content.header()).filter(|field| field.is(RETURN_PATH));
    let removed: Vec<_> = fields.map(|Field { start, end, .. }| start..end).collect();
    content.remove(&removed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(header: &str) -> String {
        let mut content = Content::from_octets(format!("{header}\r\nBcc: body\r\n").into_bytes());
        complete(&mut content, MailId::new(), &Domain::parse("mail.example.org").unwrap());
        let mut octets = Vec::new();
        content.copy_to(&mut octets).unwrap();
        let text = String::from_utf8(octets).unwrap();
        text.strip_suffix("\r\nBcc: body\r\n").unwrap().to_owned()
    }

    const COMPLETE: &str = "Date: Sun, 22 Nov 2026 18:00:00 +0000\r\nMessage-ID: <mine@example.org>\r\n";

    #[test]
    fn the_recipients_of_blind_copies_are_removed() {
        for private in [
            "Bcc: hidden@example.org\r\n",
            "Bcc: hidden@example.org,\r\n other@example.org\r\n",
            "Bcc:\r\n\thidden@example.org\r\n \r\n other@example.org\r\n",
            "bCC \t: hidden@example.org\r\n",
            "BCC:hidden@example.org\r\nBcc:\r\nbcc: other@example.org\r\n",
            "Resent-Bcc: hidden@example.org\r\nRESENT-BCC : a group: hidden@example.org;\r\n",
            "Return-Path: <hidden@example.org>\r\nreturn-path: <>\r\n",
        ] {
            for (before, after) in
                [("", "X: y\r\n"), ("To: b@example.org\r\n", ""), ("X:\r\n y\r\n", "Z: Bcc: z\r\n")]
            {
                let message = format!("{COMPLETE}{before}{private}{after}");
                assert_eq!(completed(&message), format!("{COMPLETE}{before}{after}"), "{message:?}");
            }
        }
        let kept = format!("{COMPLETE}X-Bcc: a\r\nBccx: b\r\nSubject: Bcc: c\r\n Bcc: d\r\n");
        assert_eq!(completed(&kept), kept);
        let many = format!("{COMPLETE}{}A: b\r\n", "Bcc: x@example.org\r\n".repeat(9_000));
        assert_eq!(completed(&many), format!("{COMPLETE}A: b\r\n"));
    }

    #[test]
    fn an_invalid_date_and_an_invalid_identifier_are_replaced() {
        for unreadable in [
            "",
            "Date:\r\nMessage-ID:\r\n",
            "Date: \r\n \r\nMessage-ID: \t\r\n",
            "DATE : tomorrow\r\nMESSAGE-ID : none\r\n",
            "Date: 2026-11-22T18:00:00Z\r\nMessage-ID: mine@example.org\r\n",
            "Date: (Sun, 22 Nov 2026 18:00:00 +0000)\r\nMessage-ID: <>\r\n",
            "Date:\r\nDate:\r\nMessage-ID:\r\nMessage-Id:\r\n",
        ] {
            let text = completed(&format!("{unreadable}Subject: x\r\n"));
            let fields: Vec<_> = field::fields(text.as_bytes()).collect();
            let names: Vec<_> = fields.iter().map(|field| String::from_utf8_lossy(field.name)).collect();
            assert_eq!(names, ["Date", "Message-ID", "Subject"], "{unreadable:?}: {text}");
            assert!(DateTime::parse(fields[0].value).is_some(), "{text}");
            assert_eq!(message_id::identifiers(fields[1].value).len(), 1, "{text}");
        }
    }

    #[test]
    fn the_first_valid_date_and_identifier_are_kept() {
        let others = "Date:\r\nMessage-ID: \r\n";
        assert_eq!(completed(&format!("{others}{COMPLETE}")), COMPLETE);
        assert_eq!(completed(&format!("{COMPLETE}{others}")), COMPLETE);
        let later = "Date: Mon, 23 Nov 2026 18:00:00 +0000\r\nMessage-ID: <other@example.org>\r\n";
        assert_eq!(completed(&format!("{COMPLETE}{later}")), COMPLETE);
    }

    #[test]
    fn return_paths_of_received_mail_are_removed() {
        let mut content = Content::from_octets(
            b"Return-Path: <a@example.net>\r\nA: b\r\nreturn-path :\r\n <c@example.net>\r\nBcc: kept\r\n\r\nReturn-Path: x\r\n".to_vec(),
        );
        remove_return_paths(&mut content);
        let mut octets = Vec::new();
        content.copy_to(&mut octets).unwrap();
        assert_eq!(octets, b"A: b\r\nBcc: kept\r\n\r\nReturn-Path: x\r\n");
    }
}
