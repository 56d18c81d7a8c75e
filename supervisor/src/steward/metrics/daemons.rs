use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Timeout for a daemon, which normally answers in a millisecond. A client must not wait for one that is restarting.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Limit of a daemon's answer. Some hundred lines are a tenth of this.
const MAX_LEN: u64 = 256 * 1024;

/// Fetches the metrics of each daemon, in the order of names; `None` for one that does not answer.
pub(super) async fn fetch(sockets: &BTreeMap<String, PathBuf>) -> Vec<(String, Option<String>)> {
    let mut requests = JoinSet::new();
    for (process, socket) in sockets.clone() {
        requests.spawn(async move {
            let metrics = match timeout(TIMEOUT, read(&socket)).await {
                Ok(Ok(text)) if !text.is_empty() => Some(text),
                Ok(Ok(_)) | Err(_) => None,
                Ok(Err(error)) => {
                    tracing::debug!(role = process, %error, "no metrics received");
                    None
                }
            };
            (process, metrics)
        });
    }
    let mut metrics = requests.join_all().await;
    metrics.sort();
    metrics
}

async fn read(socket: &Path) -> io::Result<String> {
    let mut text = String::new();
    UnixStream::connect(socket).await?.take(MAX_LEN).read_to_string(&mut text).await?;
    Ok(text)
}
