//! Lines of the log that never make anybody wait.
//!
//! Whoever reads our standard error may be slow, or gone. A daemon that waits for it serves nobody; process 1 that
//! waits reaps nobody and stops nobody. So a thread of its own writes, from a queue that drops what does not fit,
//! and says so when it fits again.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use handover::config::Format;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait for the reader: seconds of a busy server, a megabyte or two at worst. They are counted and not
/// kept in a queue of that length, which would hold a quarter of a megabyte in every process for a moment that may never
/// come.
const MOST_WAITING: usize = 8192;
/// The thread that writes needs hardly any.
const STACK: usize = 128 << 10;
/// How long the end of the program waits for a slow reader to get the last lines.
const LAST_LINES: Duration = Duration::from_secs(1);

#[derive(Debug)]
enum Entry {
    Line(Vec<u8>),
    /// Answered when all before it are written.
    Flush(SyncSender<()>),
}

/// Where the lines go.
#[derive(Clone, Debug)]
pub struct Outlet {
    entries: Sender<Entry>,
    counts: Arc<Counts>,
    ending: Ending,
}

/// How a line ends: with the process that wrote it, since the lines of all processes meet in one log.
#[derive(Clone, Copy, Debug)]
struct Ending {
    process: &'static str,
    format: Format,
}

#[derive(Debug, Default)]
struct Counts {
    /// Lines that wait for the reader.
    waiting: AtomicUsize,
    /// Lines that were dropped and that nobody was told of yet.
    dropped: AtomicU64,
}

impl Outlet {
    pub(super) fn to(mut target: impl Write + Send + 'static, process: &'static str, format: Format) -> Self {
        let (entries, received) = channel();
        let counts = Arc::<Counts>::default();
        let ending = Ending { process, format };
        let outlet = Self { entries, counts: counts.clone(), ending };
        // Without the thread the lines have no way out, and everything else goes on.
        let _ = thread::Builder::new()
            .name("log".into())
            .stack_size(STACK)
            .spawn(move || write_all(&received, &counts, &mut target, ending));
        outlet
    }

    /// Waits until what was logged is written, but not long.
    pub fn flush(&self) {
        let (done, is_done) = sync_channel(1);
        if self.entries.send(Entry::Flush(done)).is_ok() {
            let _ = is_done.recv_timeout(LAST_LINES);
        }
    }
}

fn write_all(received: &Receiver<Entry>, counts: &Counts, target: &mut impl Write, ending: Ending) {
    for entry in received {
        match entry {
            Entry::Line(line) => {
                // A reader that is gone costs the lines and nothing else.
                let _ = target.write_all(&line);
                counts.waiting.fetch_sub(1, Ordering::Relaxed);
            }
            Entry::Flush(done) => drop(done.send(())),
        }
        match counts.dropped.swap(0, Ordering::Relaxed) {
            0 => {}
            lines => drop(target.write_all(&ending.put(notice(lines, ending.format).as_bytes()))),
        }
    }
}

/// What stands in the place of lines that were dropped.
fn notice(lines: u64, format: Format) -> String {
    let message = format!("{lines} lines of the log were dropped, since nobody read them in time");
    match format {
        Format::Text => format!("{message}\n"),
        Format::Json => format!("{{\"level\":\"WARN\",\"message\":\"{message}\"}}\n"),
    }
}

impl Ending {
    /// The line with the field `process`.
    fn put(self, line: &[u8]) -> Vec<u8> {
        let Self { process, format } = self;
        let (end, ending) = match format {
            Format::Text => ("\n", format!(" process=\"{process}\"\n")),
            Format::Json => ("}\n", format!(",\"process\":\"{process}\"}}\n")),
        };
        let line = line.strip_suffix(end.as_bytes()).unwrap_or(line);
        [line, ending.as_bytes()].concat()
    }
}

impl Write for Outlet {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.counts.waiting.fetch_add(1, Ordering::Relaxed) < MOST_WAITING {
            // Without the thread there is nobody to receive it.
            let _ = self.entries.send(Entry::Line(self.ending.put(line)));
        } else {
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Outlet {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A target that writes nothing until it is let.
    struct Slow {
        may_write: Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Slow {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            let _ = self.may_write.recv();
            self.written.lock().unwrap().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_does_not_read_costs_lines_and_is_told_how_many() {
        let (let_write, may_write) = std::sync::mpsc::channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        let mut outlet = Outlet::to(Slow { may_write, written: written.clone() }, "mta", Format::Text);
        for _ in 0..MOST_WAITING + 10 {
            outlet.write_all(b"a line\n").unwrap();
        }
        drop(let_write);
        outlet.flush();
        let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let lines = written.lines().filter(|line| *line == "a line process=\"mta\"").count();
        assert!((MOST_WAITING..MOST_WAITING + 10).contains(&lines), "{lines} lines");
        assert!(written.contains("lines of the log were dropped"), "{} octets", written.len());
    }
    #[test]
    fn what_is_told_of_dropped_lines_is_a_line_like_all_others() {
        let ending = Ending { process: "mda", format: Format::Json };
        let told = ending.put(notice(3, Format::Json).as_bytes());
        let notice: serde_json::Value = serde_json::from_slice(&told).unwrap();
        assert!(notice["message"].as_str().unwrap().starts_with("3 lines"), "{notice}");
        assert_eq!(notice["process"], "mda");
    }
}
