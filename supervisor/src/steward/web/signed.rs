//! Signs a file with the key of the host's certificate: CMS signed data (RFC 5652 §5), as Apple's devices and `openssl
//! cms -verify` read it.

use aws_lc_rs::digest;
use rustls::SignatureScheme;
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, X509Certificate};
use yasna::models::ObjectIdentifier;
use yasna::tags::TAG_INTEGER;
use yasna::{DERWriter, Tag, construct_der};

const DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 1];
const SIGNED_DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 2];
const CONTENT_TYPE: &[u64] = &[1, 2, 840, 113_549, 1, 9, 3];
const MESSAGE_DIGEST: &[u64] = &[1, 2, 840, 113_549, 1, 9, 4];

/// A signature algorithm, with its names in CMS (RFC 5754 §2, §3).
struct Algorithm {
    scheme: SignatureScheme,
    digest: &'static digest::Algorithm,
    digest_name: &'static [u64],
    signature_name: &'static [u64],
    /// Set for RSA, whose identifier has the parameter NULL; that of ECDSA has none.
    has_null: bool,
}

const SHA256: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 1];
const SHA384: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 2];

/// The algorithms that every Apple device supports. Ed25519 is not among them.
static ALGORITHMS: [Algorithm; 3] = [
    Algorithm {
        scheme: SignatureScheme::ECDSA_NISTP256_SHA256,
        digest: &digest::SHA256,
        digest_name: SHA256,
        signature_name: &[1, 2, 840, 10_045, 4, 3, 2],
        has_null: false,
    },
    Algorithm {
        scheme: SignatureScheme::ECDSA_NISTP384_SHA384,
        digest: &digest::SHA384,
        digest_name: SHA384,
        signature_name: &[1, 2, 840, 10_045, 4, 3, 3],
        has_null: false,
    },
    Algorithm {
        scheme: SignatureScheme::RSA_PKCS1_SHA256,
        digest: &digest::SHA256,
        digest_name: SHA256,
        signature_name: &[1, 2, 840, 113_549, 1, 1, 1],
        has_null: true,
    },
];

/// Signs content and includes it. `None` if devices do not support the key's type, or the key is unusable.
pub(super) fn signed(content: &[u8], by: &CertifiedKey) -> Option<Vec<u8>> {
    let (algorithm, signer) = ALGORITHMS
        .iter()
        .find_map(|algorithm| Some((algorithm, by.key.choose_scheme(&[algorithm.scheme])?)))?;
    let (_, leaf) = X509Certificate::from_der(by.cert.first()?).ok()?;
    let attributes = attributes(digest::digest(algorithm.digest, content).as_ref());
    let signature = signer.sign(&attributes).ok()?;
    Some(construct_der(|writer| {
        content_info(writer, SIGNED_DATA, |writer| {
            writer.write_sequence(|writer| {
                writer.next().write_u8(1);
                writer.next().write_set_of(|writer| {
                    writer.next().write_sequence(|writer| oid(writer.next(), algorithm.digest_name));
                });
                content_info(writer.next(), DATA, |writer| writer.write_bytes(content));
                writer.next().write_tagged_implicit(Tag::context(0), |writer| {
                    writer.write_set_of(|writer| {
                        by.cert.iter().for_each(|certificate| writer.next().write_der(certificate));
                    });
                });
                writer.next().write_set_of(|writer| {
                    signer_info(writer.next(), &leaf, algorithm, &attributes, &signature);
                });
            });
        });
    }))
}

fn oid(writer: DERWriter<'_>, components: &[u64]) {
    writer.write_oid(&ObjectIdentifier::from_slice(components));
}

/// `ContentInfo ::= SEQUENCE { contentType, content [0] EXPLICIT }`, and `EncapsulatedContentInfo`, which has the same
/// form.
fn content_info(writer: DERWriter<'_>, kind: &[u64], content: impl FnOnce(DERWriter<'_>)) {
    writer.write_sequence(|writer| {
        oid(writer.next(), kind);
        writer.next().write_tagged(Tag::context(0), content);
    });
}

/// The two attributes that must be signed (RFC 5652 §11.1, §11.2), as the `SET OF` that is signed.
fn attributes(digest: &[u8]) -> Vec<u8> {
    construct_der(|writer| {
        writer.write_set_of(|writer| {
            writer.next().write_sequence(|writer| {
                oid(writer.next(), CONTENT_TYPE);
                writer.next().write_set_of(|writer| oid(writer.next(), DATA));
            });
            writer.next().write_sequence(|writer| {
                oid(writer.next(), MESSAGE_DIGEST);
                writer.next().write_set_of(|writer| writer.next().write_bytes(digest));
            });
        });
    })
}

/// Writes the `SignerInfo` (RFC 5652 §5.3).
fn signer_info(
    writer: DERWriter<'_>,
    leaf: &X509Certificate<'_>,
    algorithm: &Algorithm,
    attributes: &[u8],
    signature: &[u8],
) {
    writer.write_sequence(|writer| {
        writer.next().write_u8(1);
        writer.next().write_sequence(|writer| {
            writer.next().write_der(leaf.issuer().as_raw());
            // As in the certificate, whatever its sign and length.
            let serial = leaf.tbs_certificate.raw_serial();
            writer.next().write_tagged_implicit(TAG_INTEGER, |writer| writer.write_bytes(serial));
        });
        writer.next().write_sequence(|writer| oid(writer.next(), algorithm.digest_name));
        // Signed as a SET OF, written under the tag [0] (RFC 5652 §5.4).
        let tagged: Vec<u8> = [0xa0].into_iter().chain(attributes.iter().skip(1).copied()).collect();
        writer.next().write_der(&tagged);
        writer.next().write_sequence(|writer| {
            oid(writer.next(), algorithm.signature_name);
            if algorithm.has_null {
                writer.next().write_null();
            }
        });
        writer.next().write_bytes(signature);
    });
}

#[cfg(test)]
mod tests;
