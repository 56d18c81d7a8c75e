//! Thunderbird's autoconfiguration, which most clients but Outlook and Apple's understand.
//!
//! There is no standard but its documentation: <https://wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat>.

use address::Domain;

/// On the host of its own, and on the domain's.
pub(super) const PATH: &str = "/mail/config-v1.1.xml";
/// On the domain's web host, should that be us.
pub(super) const WELL_KNOWN: &str = "/.well-known/autoconfig/mail/config-v1.1.xml";
/// The parameter in which Thunderbird sends the address.
pub(super) const ADDRESS: &str = "emailaddress";

/// One server of each kind, with TLS from the first octet on: Thunderbird takes the first of a kind, Evolution the last,
/// and both are to have the encrypted one (RFC 8314 §3).
const SERVERS: [(&str, &str, u16); 2] = [("incomingServer", "imap", 993), ("outgoingServer", "smtp", 465)];

/// The page for a domain whose mail is at that host. No character of a domain's name has to be escaped in XML.
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
