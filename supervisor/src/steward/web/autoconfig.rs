//! Thunderbird's autoconfiguration, which most clients but Outlook and Apple's understand.
//!
//! There is no standard but its documentation: <https://wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat>.

use address::Domain;

/// On the host of its own.
pub(super) const PATH: &str = "/mail/config-v1.1.xml";
/// On the domain's web host, should that be us.
pub(super) const WELL_KNOWN: &str = "/.well-known/autoconfig/mail/config-v1.1.xml";

/// One server of ours: `incomingServer type="imap"`, its port, its encryption.
const SERVERS: [(&str, &str, u16, &str); 4] = [
    ("incomingServer", "imap", 993, "SSL"),
    ("incomingServer", "imap", 143, "STARTTLS"),
    ("outgoingServer", "smtp", 465, "SSL"),
    ("outgoingServer", "smtp", 587, "STARTTLS"),
];

/// The page for a domain whose mail is at that host. A domain's name has nothing in it that XML would want escaped.
pub(super) fn page(hostname: &Domain, domain: &Domain) -> String {
    let servers: String = SERVERS
        .iter()
        .map(|(element, kind, port, encryption)| {
            format!(
                "    <{element} type=\"{kind}\">\n      <hostname>{hostname}</hostname>\n      <port>{port}</port>\n      \
                 <socketType>{encryption}</socketType>\n      <username>%EMAILADDRESS%</username>\n      \
                 <authentication>password-cleartext</authentication>\n    </{element}>\n"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\">\n  <emailProvider id=\"{domain}\">\n    \
         <domain>{domain}</domain>\n    <displayName>{domain}</displayName>\n    \
         <displayShortName>{domain}</displayShortName>\n{servers}  </emailProvider>\n</clientConfig>\n"
    )
}
