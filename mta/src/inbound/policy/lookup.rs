//! A lookup that runs beside the session.

use std::future::Future;

use tokio::task::JoinHandle;

/// A lookup: begun once, awaited where its result is needed, and aborted when the session ends before.
#[derive(Default)]
pub(super) enum Lookup<T> {
    #[default]
    Idle,
    Running(Running<T>),
    Done(Option<T>),
}

/// A task that is aborted when it is dropped.
pub(super) struct Running<T>(JoinHandle<T>);

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T: Send + 'static> Lookup<T> {
    /// Begins the lookup, unless it has begun.
    pub(super) fn begin(&mut self, lookup: impl Future<Output = T> + Send + 'static) {
        if let Self::Idle = self {
            *self = Self::Running(Running(tokio::spawn(lookup)));
        }
    }

    /// The result; `None` when the lookup has not begun, or has failed.
    pub(super) async fn result(&mut self) -> Option<&T> {
        if let Self::Running(running) = self {
            let result = (&mut running.0).await.ok();
            *self = Self::Done(result);
        }
        match self {
            Self::Done(result) => result.as_ref(),
            Self::Idle | Self::Running(_) => None,
        }
    }
}
