//! The order of a chain: the leaf first, then each issuer after the certificate that it issued (RFC 8446 §4.4.2).

use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Puts the certificates of a file in order, without duplicates. Those that are not linked to the chain come last,
/// since clients that know another root may need them. `None` if one of them is not X.509.
pub(super) fn in_order(found: Vec<CertificateDer<'static>>) -> Option<Vec<CertificateDer<'static>>> {
    let mut once: Vec<CertificateDer<'static>> = Vec::with_capacity(found.len());
    for certificate in found {
        if !once.contains(&certificate) {
            once.push(certificate);
        }
    }
    let order = {
        let parsed = once.iter().map(|der| X509Certificate::from_der(der).ok().map(|(_, parsed)| parsed));
        order(&parsed.collect::<Option<Vec<_>>>()?)
    };
    Some(order.into_iter().map(|index| once[index].clone()).collect())
}

fn order(chain: &[X509Certificate<'_>]) -> Vec<usize> {
    // A server's certificate is not an authority's; a single one may be both.
    let Some(leaf) =
        (0..chain.len()).find(|index| !chain[*index].is_ca()).or((!chain.is_empty()).then_some(0))
    else {
        return Vec::new();
    };
    let mut order = vec![leaf];
    let mut last = leaf;
    while chain[last].issuer() != chain[last].subject() {
        let issuer = chain[last].issuer();
        let next = (0..chain.len()).find(|index| !order.contains(index) && chain[*index].subject() == issuer);
        let Some(next) = next else { break };
        order.push(next);
        last = next;
    }
    let rest: Vec<usize> = (0..chain.len()).filter(|index| !order.contains(index)).collect();
    order.extend(rest);
    order
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    use super::*;

    /// A leaf, its issuer and that issuer's issuer.
    fn chain() -> [CertificateDer<'static>; 3] {
        let authority = |name: &str| {
            let mut parameters = CertificateParams::default();
            parameters.distinguished_name.push(DnType::CommonName, name);
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            parameters
        };
        let (root_key, between_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let root = authority("root").self_signed(&root_key).unwrap();
        let root_issuer = Issuer::new(authority("root"), root_key);
        let between = authority("between").signed_by(&between_key, &root_issuer).unwrap();
        let leaf = CertificateParams::new(["mail.example.org".to_owned()]).unwrap();
        let issuer = Issuer::new(authority("between"), between_key);
        let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        [leaf.der().clone(), between.der().clone(), root.der().clone()]
    }

    #[test]
    fn every_order_comes_out_as_the_leaf_and_then_its_issuers() {
        let [leaf, between, root] = chain();
        let right = vec![leaf.clone(), between.clone(), root.clone()];
        for given in [
            vec![&leaf, &between, &root],
            vec![&between, &leaf, &root],
            vec![&root, &between, &leaf],
            vec![&leaf, &leaf, &root, &between],
        ] {
            let given = given.into_iter().cloned().collect();
            assert_eq!(in_order(given), Some(right.clone()));
        }
    }

    #[test]
    fn unrelated_certificates_come_last_and_non_x509_is_refused() {
        let [leaf, between, root] = chain();
        let [other, ..] = chain();
        let given = vec![leaf.clone(), root.clone(), other.clone()];
        assert_eq!(in_order(given), Some(vec![leaf.clone(), root, other]), "the link between is missing");
        assert_eq!(in_order(vec![between.clone()]), Some(vec![between]), "an authority alone");
        assert_eq!(in_order(vec![leaf, CertificateDer::from(vec![0; 3])]), None);
    }
}
