//! A host somewhere else: it connects through a proxy that the site trusts, so that its address is any the test likes.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter as _;
use mail_auth::dkim::DkimSigner;
use rcgen::{KeyPair, PublicKeyData as _};

use crate::dns::NameServer;
use crate::site::{Plan, Site};
use crate::smtp::Smtp;
use crate::wire::Wire;

/// The proxy's address.
const PROXY: &str = "127.0.0.2";

/// The address of a host whose records are in order, see [`publish`].
pub const ADDRESS: &str = "203.0.113.9";

/// Its name. The senders `…@example.net` are its own.
pub const NAME: &str = "mail.example.net";

/// Lets the proxy name the clients of a site.
///
/// # Panics
///
/// Never: the address is valid.
pub fn trust_proxy(plan: &mut Plan) {
    plan.mta.login.trusted_proxies = vec![format!("{PROXY}/32").parse().expect("it is a network")];
}

/// Publishes all that an honest host publishes.
///
/// # Panics
///
/// Never: the address is valid.
pub fn publish(dns: &NameServer) {
    let address: IpAddr = ADDRESS.parse().expect("it is an address");
    dns.host(NAME, address).reverse(address, NAME).mx("example.net", 10, NAME);
}

/// A session from an address, after EHLO with a name.
#[track_caller]
pub fn connect(site: &Site, address: &str, name: &str) -> Smtp {
    let proxy = PROXY.parse().expect("it is an address");
    let mut wire = Wire::connect_from(proxy, site.services.address("smtp")).expect("the site listens");
    let family = if address.contains(':') { "TCP6" } else { "TCP4" };
    let own = if address.contains(':') { "2001:db8::1" } else { "198.51.100.1" };
    let header = format!("PROXY {family} {address} {own} 40000 25\r\n");
    wire.send(header.as_bytes()).expect("the site reads");
    let mut session = Smtp::over(wire).expect("the site greets");
    session.command(&format!("EHLO {name}")).expect("EHLO is answered").expect(250);
    session
}

/// The signature of a domain under a message, with a new key that is published.
pub fn sign(domain: &str, message: &str, dns: &NameServer) -> String {
    let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key can be made");
    let record = format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(pair.der_bytes()));
    dns.text(&format!("ed._domainkey.{domain}"), &record);
    let key = Ed25519Key::from_pkcs8_der(&pair.serialize_der()).expect("it is a key");
    let signer =
        DkimSigner::from_key(key).domain(domain).selector("ed").headers(["From", "Subject", "List-Id"]);
    let signature = signer.sign(message.replace('\n', "\r\n").as_bytes()).expect("it has a header");
    signature.to_header().replace("\r\n", "\n")
}
