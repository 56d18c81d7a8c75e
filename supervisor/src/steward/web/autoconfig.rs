//! Thunderbird's autoconfiguration, which most clients except Outlook and Apple's support.
//!
//! It is specified only by its documentation:
//! <https://wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat>.

use address::Domain;

/// The path on the autoconfig host, and on the domain's.
pub(super) const PATH: &str = "/mail/config-v1.1.xml";
/// The path on the domain's web host, if it is this machine.
pub(super) const WELL_KNOWN: &str = "/.well-known/autoconfig/mail/config-v1.1.xml";
/// The parameter in which Thunderbird sends the address.
pub(super) const ADDRESS: &str = "emailaddress";

/// One server of each type, with implicit TLS: Thunderbird uses the first of a type, Evolution the last, and both must
/// get the encrypted one (RFC 8314 §3).
const SERVERS: [(&str, &str, u16); 2] = [("incomingServer", "imap", 993), ("outgoingServer", "smtp", 465)];

/// The page for a domain with its mail at `hostname`. No character of a domain name needs escaping in XML.
pub(super) fn page(hostname: &Domain, domain: &Domain) -> String {
    let servers: String = SERVERS
        .iter()
        .map(|(element, kind, port)| {
            format!(
                "    <{element} type=\"{kind}\">\n      <hostname>{hostname}</hostname>\n      <port>{port}</port>\n      \
                 <socketType>SSL</socketType>\n      <username>%EMAILADDRESS%</username>\n      \
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
