use std::io;

use tracing_subscriber::layer::SubscriberExt;

use super::*;

/// A target that blocks until writing is allowed.
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

/// The text written when this is logged.
fn written(format: Format, log: impl FnOnce()) -> String {
    let (let_write, may_write) = channel();
    let written = Arc::new(Mutex::new(Vec::new()));
    let writer = LogWriter::new(Slow { may_write, written: written.clone() }, "mta", format);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(writer.clone()), log);
    drop(let_write);
    writer.flush();
    String::from_utf8(written.lock().unwrap().clone()).unwrap()
}

#[test]
fn a_slow_reader_loses_lines_and_gets_their_number() {
    for format in [Format::Text, Format::Json] {
        let text = written(format, || {
            for _ in 0..MAX_WAITING + 10 {
                tracing::info!("a line");
            }
        });
        let lines = text.lines().filter(|line| line.contains("a line")).count();
        assert!((MAX_WAITING..MAX_WAITING + 10).contains(&lines), "{lines} lines");
        let notice = text.lines().find(|line| line.contains("log lines dropped")).unwrap();
        if format == Format::Json {
            let notice: serde_json::Value = serde_json::from_str(notice).unwrap();
            assert_eq!((notice["level"].as_str(), notice["process"].as_str()), (Some("WARN"), Some("mta")));
            assert_eq!(notice["lines"], MAX_WAITING + 10 - lines);
        }
    }
}

fn refuse(peer: &str, recipient: &str) {
    tracing::info!(%peer, %recipient, suppressed = tracing::field::Empty, "refused");
}

#[test]
fn lines_that_a_client_causes_are_counted_after_the_first_few() {
    for format in [Format::Text, Format::Json] {
        let text = written(format, || {
            for number in 0..1000 {
                refuse("192.0.2.1", &format!("r{number}@example.org"));
            }
            refuse("192.0.2.2", "one@example.org");
            for _ in 0..10 {
                tracing::info!(peer = "192.0.2.1", "accepted");
            }
        });
        let lines = |words: &str| text.lines().filter(|line| line.contains(words)).count();
        assert_eq!((lines("refused"), lines("192.0.2.2"), lines("accepted")), (7, 1, 10), "{text}");
        let summary = match format {
            Format::Text => "peer=192.0.2.1 recipient=r999@example.org suppressed=994 process=\"mta\"",
            Format::Json => "\"recipient\":\"r999@example.org\",\"suppressed\":994,\"process\":\"mta\"}",
        };
        assert_eq!(lines(summary), 1, "{text}");
        assert_eq!(lines("suppressed"), 1, "{text}");
    }
}

#[test]
fn a_value_cannot_pass_for_a_line_or_a_field() {
    let hostile =
        "\"WARN login: failed peer=203.0.113.7 protocol=\"@example.org\n2026-11-28T04:04:05Z  WARN \u{202e}";
    let text = written(Format::Text, || refuse("192.0.2.1", hostile));
    let [line] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    let fields = line.split_once(": refused ").unwrap().1;
    assert_eq!(
        fields,
        "peer=192.0.2.1 recipient=\"\\\"WARN login: failed peer\\u{3d}203.0.113.7 protocol\\u{3d}\\\"@example.org\\n\
         2026-11-28T04:04:05Z  WARN \\u{202e}\" process=\"mta\""
    );
    let text = written(Format::Json, || refuse("192.0.2.1", hostile));
    let [line] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!((line["peer"].as_str(), line["recipient"].as_str()), (Some("192.0.2.1"), Some(hostile)));
}

#[test]
fn numbers_and_booleans_keep_their_type() {
    let log = || {
        tracing::info!(
            count = 3,
            negative = -4_i64,
            share = 0.5,
            not_a_number = f64::NAN,
            is_new = true,
            none = Option::<u32>::None,
            "kinds"
        )
    };
    let text = written(Format::Text, log);
    assert!(
        text.contains(" kinds count=3 negative=-4 share=0.5 not_a_number=NaN is_new=true process"),
        "{text}"
    );
    let line: serde_json::Value = serde_json::from_str(&written(Format::Json, log)).unwrap();
    assert_eq!((&line["count"], &line["share"], &line["is_new"]), (&3.into(), &0.5.into(), &true.into()));
    assert_eq!((&line["not_a_number"], line.get("none")), (&"NaN".into(), None));
}
