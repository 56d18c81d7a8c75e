use std::io;
use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// More would wait for the disk and for each other; a mail server is not bound by its processors.
const MAX_WORKERS: usize = 4;
/// Half of the library's default. Only touched pages are resident, and no function of ours recurses without a bound.
const STACK: usize = 1 << 20;
/// Threads for files and passwords. They end after a while without work, so a quiet server has none.
const BLOCKING: usize = 64;
const BLOCKING_KEEP_ALIVE: Duration = Duration::from_secs(5);

/// The runtime of a daemon, its threads named after its role.
pub fn runtime(role: &str) -> io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    Builder::new_multi_thread()
        .worker_threads(cores.min(MAX_WORKERS))
        .max_blocking_threads(BLOCKING)
        .thread_keep_alive(BLOCKING_KEEP_ALIVE)
        .thread_stack_size(STACK)
        .thread_name(role)
        .enable_all()
        .build()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_daemon_has_few_threads_with_its_name() {
        let runtime = super::runtime("mta").unwrap();
        assert!((1..=super::MAX_WORKERS).contains(&runtime.metrics().num_workers()));
        let name = runtime.block_on(async {
            tokio::spawn(async { std::thread::current().name().map(str::to_owned) }).await.unwrap()
        });
        assert_eq!(name.as_deref(), Some("mta"));
    }
}
