//! A log writer that never blocks the caller.
//!
//! The reader of our standard error may be slow, or closed. A daemon that waits for it serves no clients; if process 1
//! waits for it, it neither reaps nor stops processes. So a separate thread writes, from a queue that drops lines when
//! it is full, and logs the number of dropped lines when there is room again.

use std::io::Write;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use handover::config::Format;
use tracing::callsite::Identifier;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::flood::{self, Flood, Summary};
use super::line::Line;

/// The most lines that may wait for the reader: seconds of a busy server, a megabyte or two at worst. They are counted
/// and not kept in a queue of that length, which would hold a quarter of a megabyte in every process for a case that
/// may never occur.
const MAX_WAITING: usize = 8192;
/// The writing thread needs hardly any.
const STACK: usize = 128 << 10;
/// The time for which a process that ends waits for a slow reader to get the last lines.
const LAST_LINES: Duration = Duration::from_secs(1);
/// The time between checks whether a minute of counted lines has ended.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
enum Entry {
    Line(Vec<u8>),
    /// Answered when all entries before it are written.
    Flush(SyncSender<()>),
}

/// The path of lines to the reader, as a layer of the subscriber.
#[derive(Clone, Debug)]
pub struct LogWriter {
    entries: Sender<Entry>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    process: &'static str,
    format: Format,
    /// The number of lines that wait for the reader.
    waiting: AtomicUsize,
    /// The number of dropped lines that are not reported yet.
    dropped: AtomicU64,
    flood: Mutex<Flood<Identifier, Line>>,
}

impl LogWriter {
    pub(super) fn new(target: impl Write + Send + 'static, process: &'static str, format: Format) -> Self {
        let (entries, received) = channel();
        let shared = Arc::new(Shared {
            process,
            format,
            waiting: AtomicUsize::default(),
            dropped: AtomicU64::default(),
            flood: Mutex::default(),
        });
        let writer = WriterThread { shared: shared.clone(), target };
        // Without the thread no lines are written, and everything else works.
        let _ = thread::Builder::new()
            .name("log".into())
            .stack_size(STACK)
            .spawn(move || writer.write_all(&received));
        Self { entries, shared }
    }

    /// Waits until the lines logged so far are written, up to a short limit.
    pub fn flush(&self) {
        let (done, is_done) = sync_channel(1);
        if self.entries.send(Entry::Flush(done)).is_ok() {
            let _ = is_done.recv_timeout(LAST_LINES);
        }
    }

    fn send(&self, line: Line) {
        let Shared { waiting, dropped, process, .. } = &*self.shared;
        if waiting.fetch_add(1, Ordering::Relaxed) < MAX_WAITING {
            // Fails only if there is no thread.
            let _ = self.entries.send(Entry::Line(line.render(process)));
        } else {
            waiting.fetch_sub(1, Ordering::Relaxed);
            dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<S: Subscriber> Layer<S> for LogWriter {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let line = Line::of(event, self.shared.format);
        let metadata = event.metadata();
        if metadata.fields().field(flood::SUPPRESSED).is_none() {
            return self.send(line);
        }
        let origin = line.peer.into();
        let admitted = self.shared.flood().admit(metadata.callsite(), origin, line, Instant::now());
        if let Some(line) = admitted {
            self.send(line);
        }
    }
}

impl Shared {
    fn flood(&self) -> MutexGuard<'_, Flood<Identifier, Line>> {
        self.flood.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct WriterThread<W> {
    shared: Arc<Shared>,
    target: W,
}

impl<W: Write> WriterThread<W> {
    fn write_all(mut self, received: &Receiver<Entry>) {
        loop {
            // A window begins with a line, which wakes this thread.
            let entry = if self.shared.flood().is_quiet() {
                received.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                received.recv_timeout(CHECK_INTERVAL)
            };
            match entry {
                Ok(Entry::Line(line)) => {
                    // A closed reader costs the lines and nothing else.
                    let _ = self.target.write_all(&line);
                    self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
                }
                Ok(Entry::Flush(done)) => {
                    let all = self.shared.flood().take_all();
                    self.summarize(all);
                    self.report_dropped();
                    let _ = done.send(());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let over = self.shared.flood().take_ended(Instant::now());
            self.summarize(over);
            self.report_dropped();
        }
    }

    fn summarize(&mut self, summaries: Vec<Summary<Line>>) {
        for Summary { mut line, suppressed, is_of_several } in summaries {
            if is_of_several {
                line.text("networks", "several");
            }
            // A summary of a single line is an ordinary line.
            if suppressed > 0 {
                line.number(flood::SUPPRESSED, suppressed);
            }
            self.write(line);
        }
    }

    fn report_dropped(&mut self) {
        let dropped = self.shared.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let message = "log lines dropped, the reader was too slow".to_owned();
            let mut line = Line::new(self.shared.format, Level::WARN, module_path!(), message);
            line.number("lines", dropped);
            self.write(line);
        }
    }

    fn write(&mut self, line: Line) {
        let _ = self.target.write_all(&line.render(self.shared.process));
    }
}

#[cfg(test)]
mod tests;
