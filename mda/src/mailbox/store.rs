use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use accounts::User;
use address::Address;
use arc_swap::ArcSwap;
use handover::config::Quotas;
use tokio::sync::OnceCell;

use super::account::MailHome;
use super::registry::Registry;
use super::usage::QuotaUsage;
use super::work_limits::{SearchLimit, WorkLimits, WorkPermit};
use super::{Account, NotAllowed, StoreError};
use crate::index::Index;
use crate::maildir::{MailboxName, layout, regular, renaming, sweep};

/// Interval at which watched mailboxes are checked for changes by other processes.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// Maximum number of users' homes that are remembered as complete.
const MAX_HOMES: usize = 4096;
/// The mailboxes that a new user gets, and is subscribed to.
const FIRST_MAILBOXES: [&str; 5] = ["Archive", "Drafts", "Junk", "Sent", "Trash"];

/// All users' mail. Cloning it is cheap, and all clones share the open mailboxes.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<StoreShared>,
}

#[derive(Debug)]
struct StoreShared {
    mail: PathBuf,
    index: Index,
    /// The index's volume.
    index_folder: PathBuf,
    host: Arc<str>,
    registry: Arc<Registry>,
    searches: SearchLimit,
    quotas: Arc<ArcSwap<Quotas>>,
    homes: Mutex<HashMap<PathBuf, Arc<OnceCell<Arc<MailHome>>>>>,
    polling: OnceLock<()>,
}

impl Store {
    /// The mail below `mail`, with caches below `index_folder`. `host` becomes part of the names of messages' files.
    pub fn new(mail: PathBuf, index_folder: PathBuf, host: &str) -> Self {
        let shared = StoreShared {
            mail,
            index: Index::new(index_folder.clone()),
            index_folder,
            host: host.into(),
            registry: Arc::default(),
            searches: SearchLimit::default(),
            quotas: Arc::default(),
            homes: Mutex::default(),
            polling: OnceLock::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Sets each user's quota.
    pub fn set_quotas(&self, quotas: Quotas) {
        self.shared.quotas.store(Arc::new(quotas));
    }

    /// Returns true if the user has a quota.
    pub fn has_quota(&self, user: &Address) -> bool {
        self.shared.quotas.load().of(user).is_some()
    }

    /// One user's mail. The Maildir is created if the user has none yet.
    pub async fn account(&self, user: &Address) -> Result<Account, StoreError> {
        self.start_polling();
        let user = User::new(user).map_err(|_| NotAllowed::UserName)?;
        // Relative to the mail's folder and to the index's: `example.org/ann`.
        let folder = user.folder(Path::new(""));
        loop {
            let cell = {
                let mut homes = self.homes();
                if homes.len() >= MAX_HOMES && !homes.contains_key(&folder) {
                    homes.clear();
                }
                homes.entry(folder.clone()).or_default().clone()
            };
            let home = self.home(&cell, &folder, &user).await?;
            let found = home.clone();
            if run_blocking(move || Ok(found.is_current())).await? {
                return Ok(Account::new(home));
            }
            // The user was removed and added again, or the mail was restored: all cached state is invalid.
            tracing::warn!(maildir = %home.root.display(), "maildir replaced or incomplete, reopening");
            let mut homes = self.homes();
            if homes.get(&folder).is_some_and(|there| Arc::ptr_eq(there, &cell)) {
                homes.remove(&folder);
                drop(homes);
                self.shared.registry.mark_gone_below(&home.root);
            }
        }
    }

    fn homes(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<OnceCell<Arc<MailHome>>>>> {
        self.shared.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn home(
        &self,
        cell: &OnceCell<Arc<MailHome>>,
        folder: &Path,
        user: &User,
    ) -> Result<Arc<MailHome>, StoreError> {
        let shared = self.shared.clone();
        let (folder, user) = (folder.to_owned(), user.address());
        let home = cell
            .get_or_try_init(|| {
                run_blocking(move || {
                    let root = shared.mail.join(&folder).join("Maildir");
                    prepare_maildir(&root, &shared.host)?;
                    Ok(Arc::new(MailHome {
                        identity: regular::identity(&root).ok_or(StoreError::Interrupted)?,
                        scratch: shared.index_folder.clone(),
                        root,
                        host: shared.host.clone(),
                        index: shared.index.of(&folder),
                        registry: shared.registry.clone(),
                        work_limits: WorkLimits::new(&shared.searches),
                        usage: QuotaUsage::new(user, shared.quotas.clone()),
                    }))
                })
            })
            .await?;
        Ok(home.clone())
    }

    /// Saves the data worth keeping before the process ends. Blocks.
    pub fn close(&self) {
        self.shared.registry.close();
    }

    /// Checks watched mailboxes every few seconds, as long as the store exists.
    fn start_polling(&self) {
        self.shared.polling.get_or_init(|| {
            tokio::spawn(poll_watched(Arc::downgrade(&self.shared)));
        });
    }
}

async fn poll_watched(shared: Weak<StoreShared>) {
    let mut ticks = tokio::time::interval(POLL_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(registry) = shared.upgrade().map(|shared| shared.registry.clone()) else { return };
        let _ = tokio::task::spawn_blocking(move || {
            for live in registry.watched() {
                if let Err(error) = live.poll() {
                    tracing::debug!(mailbox = %live.folder.display(), %error, "cannot poll mailbox");
                }
            }
            registry.sweep();
        })
        .await;
    }
}

/// Creates a new user's Maildir, or the missing parts of an existing one.
fn prepare_maildir(root: &Path, host: &str) -> Result<(), StoreError> {
    if layout::is_maildir(root) {
        layout::create_missing_folders(root)?;
        renaming::recover(root, host);
        sweep::sweep(root);
        layout::log_unusual_folders(root);
    } else {
        let names: Vec<_> = FIRST_MAILBOXES.iter().filter_map(|name| MailboxName::parse(name).ok()).collect();
        layout::create_maildir(root, host, &names)?;
    }
    Ok(())
}

/// Runs blocking work on a thread for it, and holds its permit meanwhile.
pub(super) async fn run_with_permit<T: Send + 'static>(
    permit: WorkPermit,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    run_blocking(move || {
        // Held to the end of the work, even if its session has ended.
        let _permit = permit;
        work()
    })
    .await
}

/// Runs blocking work on a thread for it.
pub(super) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::Interrupted))
}
