//! TLS on both sides: a server whose certificate is replaced while it runs, and two kinds of client.
//!
//! The provider is passed explicitly everywhere; nothing depends on a process-wide default.

mod client;
mod server;

use std::sync::{Arc, LazyLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub use client::{Connector, authorities, authorities_with, trusting_no_authority};
pub use server::{Tls, TlsError};

/// The one provider of cryptography.
fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));
    Arc::clone(&PROVIDER)
}

#[cfg(test)]
pub(crate) mod tests;
