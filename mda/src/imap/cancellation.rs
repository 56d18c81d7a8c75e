//! Stops work on another thread once its client is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::mailbox::StoreError;

/// A flag that is set once the work is not needed any more. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct CancellationToken(Arc<AtomicBool>);

impl CancellationToken {
    /// Fails once the work is not needed any more. Called between two pieces of the work.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.0.load(Ordering::Relaxed) { Err(StoreError::Interrupted) } else { Ok(()) }
    }
}

/// Abandons the work when dropped, for example together with the session that waits for it.
#[derive(Debug, Default)]
pub(super) struct CancelOnDrop(CancellationToken);

impl CancelOnDrop {
    /// The token that the work checks.
    pub(super) fn token(&self) -> CancellationToken {
        self.0.clone()
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}
