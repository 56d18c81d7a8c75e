//! Trust anchors for the authority's web server: the public authorities, and one more where it was set.

use std::io;
use std::path::Path;
use std::sync::Arc;

use handover::certificate::certificates;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};

use crate::read_limited;

/// An error while loading the trust anchors.
#[derive(Debug, thiserror::Error)]
pub(super) enum TrustError {
    /// The error for a bad file. Process 1 passes on only a good file, and has reported what is wrong with this one.
    #[error("the file of MAIL_ACME_CA_FILE has no usable certificate in PEM, so no authority is contacted")]
    NotHandedOn,
    #[error("the file of MAIL_ACME_CA_FILE cannot be read as a certificate in PEM: {0}")]
    Extra(String),
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// A TLS client configuration. `extra` is trusted besides the public authorities.
pub(super) fn client(extra: Option<&Path>) -> Result<ClientConfig, TrustError> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    if let Some(path) = extra {
        let unusable = |error: &dyn std::fmt::Display| TrustError::Extra(error.to_string());
        let text = read_limited::read(path, 1).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => TrustError::NotHandedOn,
            _ => unusable(&error),
        })?;
        for certificate in certificates(&text).map_err(|error| unusable(&error))? {
            roots.add(certificate).map_err(|error| unusable(&error))?;
        }
    }
    Ok(ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_copy_is_reported_by_its_setting_and_not_by_our_path() {
        let folder = tempfile::tempdir().unwrap();
        let message = client(Some(&folder.path().join("authority-ca.pem"))).unwrap_err().to_string();
        assert!(
            message.contains("the file of MAIL_ACME_CA_FILE has no usable certificate in PEM"),
            "{message}"
        );
        assert!(!message.contains("authority-ca.pem") && !message.contains("No such file"), "{message}");
    }
}
