//! The configuration profile with which Apple's devices set up an account. It contains no password: the device asks the
//! user.
//!
//! The keys are those of Apple's "Device Management", payload `com.apple.mail.managed`.

use std::fmt::Write;

use address::{Address, Domain};
use aws_lc_rs::digest::{SHA256, digest};

use super::xml::escaped;

pub(super) const PATH: &str = "/mail.mobileconfig";
/// The parameter with the address.
pub(super) const ADDRESS: &str = "address";
/// The media type for which a device offers installation.
pub(super) const KIND: &str = "application/x-apple-aspen-config";

/// The profile for an address, unsigned.
pub(super) fn profile(hostname: &Domain, address: &Address) -> String {
    let login = address.to_string();
    let (account, whole) = (identifier("account", hostname, &login), identifier("profile", hostname, &login));
    let strings = |pairs: &[(&str, &str)]| {
        pairs.iter().fold(String::new(), |mut text, (key, value)| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "<key>{key}</key><string>{}</string>", escaped(value));
            text
        })
    };
    let payload = strings(&[
        ("PayloadType", "com.apple.mail.managed"),
        ("PayloadIdentifier", &format!("{hostname}.{account}")),
        ("PayloadUUID", &account),
        ("PayloadDisplayName", &login),
        ("EmailAccountDescription", &login),
        ("EmailAccountType", "EmailTypeIMAP"),
        ("EmailAddress", &login),
        ("IncomingMailServerAuthentication", "EmailAuthPassword"),
        ("IncomingMailServerHostName", hostname.as_str()),
        ("IncomingMailServerUsername", &login),
        ("OutgoingMailServerAuthentication", "EmailAuthPassword"),
        ("OutgoingMailServerHostName", hostname.as_str()),
        ("OutgoingMailServerUsername", &login),
    ]);
    let outer = strings(&[
        ("PayloadType", "Configuration"),
        ("PayloadIdentifier", &format!("{hostname}.{whole}")),
        ("PayloadUUID", &whole),
        ("PayloadDisplayName", &format!("Mail of {login}")),
        ("PayloadDescription", &format!("Sets up the mail of {login} at {hostname}.")),
    ]);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n{outer}\
         <key>PayloadVersion</key><integer>1</integer>\n<key>PayloadContent</key>\n<array>\n<dict>\n{payload}\
         <key>PayloadVersion</key><integer>1</integer>\n\
         <key>IncomingMailServerPortNumber</key><integer>993</integer>\n<key>IncomingMailServerUseSSL</key><true/>\n\
         <key>OutgoingMailServerPortNumber</key><integer>465</integer>\n<key>OutgoingMailServerUseSSL</key><true/>\n\
         <key>OutgoingPasswordSameAsIncomingPassword</key><true/>\n</dict>\n</array>\n</dict>\n</plist>\n"
    )
}

/// A UUID that is the same for the same account each time, so that a reinstalled profile replaces the previous one
/// (version 8, RFC 9562 §5.8).
fn identifier(part: &str, hostname: &Domain, login: &str) -> String {
    let hash = digest(&SHA256, format!("{part} {hostname} {login}").as_bytes());
    let mut octets: [u8; 16] = hash.as_ref()[..16].try_into().unwrap_or_default();
    octets[6] = octets[6] & 0x0f | 0x80;
    octets[8] = octets[8] & 0x3f | 0x80;
    let hex = |octets: &[u8]| crate::dns::record::hexadecimal(octets);
    let parts = [&octets[..4], &octets[4..6], &octets[6..8], &octets[8..10], &octets[10..]];
    parts.map(hex).join("-").to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> String {
        profile(&Domain::parse("mail.example.org").unwrap(), &Address::parse(address).unwrap())
    }

    #[test]
    fn a_profile_names_both_servers_and_no_password_and_is_stable() {
        let text = of("ann@example.org");
        for part in [
            "<key>EmailAddress</key><string>ann@example.org</string>",
            "<key>IncomingMailServerHostName</key><string>mail.example.org</string>",
            "<key>IncomingMailServerPortNumber</key><integer>993</integer>",
            "<key>OutgoingMailServerPortNumber</key><integer>465</integer>",
            "<key>OutgoingMailServerUsername</key><string>ann@example.org</string>",
        ] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
        assert!(
            !text.contains("<key>IncomingPassword</key>") && !text.contains("<key>OutgoingPassword</key>")
        );
        assert_eq!(text, of("ann@example.org"));
        assert_ne!(text, of("bob@example.org"));
    }

    #[test]
    fn an_identifier_has_the_form_of_a_uuid() {
        let made = identifier("account", &Domain::parse("mail.example.org").unwrap(), "ann@example.org");
        let lengths: Vec<usize> = made.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{made}");
        assert_eq!(made.as_bytes()[14], b'8', "{made}");
        assert!(b"89AB".contains(&made.as_bytes()[19]), "{made}");
    }

    #[test]
    fn an_address_cannot_add_keys() {
        let text = of("\"</string><key>x\"@example.org");
        assert!(!text.contains("<key>x"), "{text}");
        assert!(text.contains("&lt;/string&gt;&lt;key&gt;x"), "{text}");
    }
}
