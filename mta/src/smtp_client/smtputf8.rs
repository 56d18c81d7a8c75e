//! Recipients to whom a peer without SMTPUTF8 cannot be sent the message (RFC 6531 §3.2).

use smtp_proto::client::{Envelope, Outcome};
use smtp_proto::replies;

/// The recipients of an envelope that are sent to the peer, and those that are not.
#[derive(Debug)]
pub(super) struct Split {
    /// For each recipient, in their order: true if it is sent.
    is_sent: Vec<bool>,
}

/// Takes the recipients out of an envelope to whom the peer cannot be sent the message.
pub(super) fn split(mut envelope: Envelope, offers_smtputf8: bool) -> (Envelope, Split) {
    let is_sent: Vec<bool> = envelope
        .recipients
        .iter()
        .map(|recipient| offers_smtputf8 || envelope.is_ascii_for(recipient))
        .collect();
    let mut each = is_sent.iter();
    envelope.recipients.retain(|_| each.next().copied().unwrap_or(true));
    (envelope, Split { is_sent })
}

impl Split {
    /// The outcomes of all recipients, given those of the ones that were sent.
    pub(super) fn merge(self, sent: Vec<Outcome>) -> Vec<Outcome> {
        let mut sent = sent.into_iter();
        let lost = || Outcome::Deferred(replies::LOCAL_ERROR);
        let outcome = |is_sent| match is_sent {
            true => sent.next().unwrap_or_else(lost),
            false => Outcome::Failed(replies::PEER_WITHOUT_SMTPUTF8),
        };
        self.is_sent.into_iter().map(outcome).collect()
    }
}

#[cfg(test)]
mod tests {
    use address::{ForwardPath, ReversePath};
    use smtp_proto::command::BodyKind;

    use super::*;

    fn envelope(sender: &str, has_utf8_header: bool) -> Envelope {
        let path = |text| ForwardPath::parse(text).unwrap();
        Envelope {
            sender: ReversePath::parse(sender).unwrap(),
            recipients: vec![
                path("<bob@example.net>"),
                path("<jos\u{e9}@example.net>"),
                path("<eve@b\u{fc}cher.example>"),
            ],
            size: 1,
            body: BodyKind::EightBitMime,
            has_utf8_header,
            is_junk: false,
            requires_tls: false,
            id: None,
        }
    }

    #[test]
    fn only_what_needs_smtputf8_fails_at_a_peer_without_it() {
        for (sender, has_utf8_header, offers_smtputf8, expected) in [
            ("<ann@example.org>", false, true, [true, true, true]),
            ("<ann@example.org>", false, false, [true, false, true]),
            ("<>", false, false, [true, false, true]),
            ("<ann@b\u{fc}cher.example>", false, false, [true, false, true]),
            ("<zo\u{eb}@example.org>", false, false, [false, false, false]),
            ("<ann@example.org>", true, false, [false, false, false]),
            ("<zo\u{eb}@example.org>", true, true, [true, true, true]),
        ] {
            let (left, split) = split(envelope(sender, has_utf8_header), offers_smtputf8);
            assert_eq!(split.is_sent, expected, "{sender} {has_utf8_header} {offers_smtputf8}");
            let sent = vec![Outcome::Deferred(replies::LOCAL_ERROR); left.recipients.len()];
            let outcomes = split.merge(sent);
            let is_failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
            let failed: Vec<bool> = outcomes.iter().map(is_failed).collect();
            assert_eq!(failed, expected.map(|is_sent| !is_sent), "{sender}");
        }
    }
}
