//! Signs the message on standard input as `s._domainkey.example.org` and writes it to standard output, for
//! `vectors/check.py`.
//!
//! Arguments: the private key as PKCS #8 in DER, then the names to sign.

use std::io::{Read, Write};

use address::Domain;
use dkim::{BodyHasher, Canonicalization, HeaderSection, SigningKey};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let key = std::fs::read(arguments.next().ok_or("no key")?)?;
    let names: Vec<_> = arguments.collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let mut message = Vec::new();
    std::io::stdin().read_to_end(&mut message)?;
    let (header, body) = message::field::split(&message);
    let mut hasher = BodyHasher::new(Canonicalization::Relaxed);
    hasher.update(body);
    let (section, domain) = (HeaderSection::parse(header), Domain::parse("example.org")?);
    let key = SigningKey::from_pkcs8(&key)?;
    let field = dkim::sign(&section, &hasher.finish(), &key, (&domain, "s"), &names, 1_700_000_000)?;
    std::io::stdout().write_all(&[field.as_bytes(), &message].concat())?;
    Ok(())
}
