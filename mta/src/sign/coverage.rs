//! The fields that a signature covers.
//!
//! A field whose name is listed once more than the field occurs cannot be added without breaking the signature
//! (RFC 6376 §8.15). This holds for the fields that determine author, recipients, date and content: a message of ours
//! that is resent with another Reply-To, Cc, Date, Message-ID or Content-Type on top of the signed one does not verify.
//!
//! Other hosts on the way add fields in good faith, and that must not break the signature: a mailing list adds
//! Sender and List-* (RFC 2369, RFC 2919), a resender adds Resent-* on top of existing ones (RFC 5322 §3.6.6). Those
//! are listed as often as they occur, so that none can be changed or removed. RFC 8058 §4 requires that
//! List-Unsubscribe and List-Unsubscribe-Post are covered in this way.
//!
//! Trace fields (Received, Return-Path, Authentication-Results) change on the way and are never covered
//! (RFC 6376 §5.4).

use dkim::HeaderSection;

/// Fields that are listed once more than they occur: none can be changed, removed or added.
const OVERSIGNED: [&str; 16] = [
    "From",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "To",
    "Cc",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Content-ID",
    "Content-Description",
    "Disposition-Notification-To",
];

/// Fields that are listed as often as they occur: none can be changed or removed, further ones can be added.
const SIGNED: [&str; 17] = [
    "Sender",
    "Resent-Date",
    "Resent-From",
    "Resent-Sender",
    "Resent-To",
    "Resent-Cc",
    "Resent-Message-ID",
    "List-Id",
    "List-Help",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Subscribe",
    "List-Post",
    "List-Owner",
    "List-Archive",
    "Content-Language",
    "Auto-Submitted",
];

/// The names for `h=`, each as often as the field is to be signed.
pub(super) fn names(section: &HeaderSection<'_>) -> Vec<&'static str> {
    let oversigned = OVERSIGNED.iter().map(|name| (*name, section.count(name) + 1));
    let signed = SIGNED.iter().map(|name| (*name, section.count(name)));
    oversigned.chain(signed).flat_map(|(name, times)| std::iter::repeat_n(name, times)).collect()
}
