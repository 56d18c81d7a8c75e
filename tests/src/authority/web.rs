//! The authority's web server: one request a connection, over TLS.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::{ServerConnection, StreamOwned};
use serde_json::Value;

use super::Shared;
use super::protocol::{self, Response};
use crate::test_server::locked;
use crate::wait;

/// A request.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: Vec<u8>,
}

pub(super) fn serve(connection: TcpStream, shared: &Shared) -> io::Result<()> {
    let behaviour = locked(&shared.behaviour).clone();
    if behaviour.is_down {
        return Ok(());
    }
    connection.set_read_timeout(Some(wait::READ_TIMEOUT))?;
    let tls = ServerConnection::new(Arc::clone(&shared.tls)).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(tls, connection);
    let Some(request) = read(&mut stream)? else { return Ok(()) };
    thread::sleep(behaviour.delay);
    let answer = match behaviour.busy {
        Some(seconds) => Response {
            code: 503,
            kind: "text/html",
            fields: vec![("Retry-After", seconds.to_string())],
            body: "<h1>Back soon</h1>".to_owned(),
        },
        None => protocol::answer(&request, shared, &behaviour),
    };
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let now = i64::try_from(since.as_secs()).unwrap_or(0) + behaviour.clock_ahead;
    let mut head = format!(
        "HTTP/1.1 {} x\r\nContent-Type: {}\r\nContent-Length: {}\r\nDate: {}\r\nConnection: close\r\n",
        answer.code,
        answer.kind,
        answer.body.len(),
        date(now)
    );
    for (name, value) in &answer.fields {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(head.as_bytes())?;
    stream.write_all(b"\r\n")?;
    if request.method != "HEAD" {
        stream.write_all(answer.body.as_bytes())?;
    }
    stream.conn.send_close_notify();
    stream.flush()
}

fn read(stream: &mut impl io::Read) -> io::Result<Option<Request>> {
    let mut octets = Vec::new();
    let mut block = [0; 4096];
    loop {
        let end = octets.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&octets[..end]).into_owned();
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
                })
                .unwrap_or(0);
            let mut body = octets.split_off(end + 4);
            while body.len() < length {
                let more = stream.read(&mut block)?;
                if more == 0 {
                    return Ok(None);
                }
                body.extend(&block[..more]);
            }
            let mut words = head.split(' ');
            let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(None) };
            return Ok(Some(Request { method: method.to_owned(), path: path.to_owned(), body }));
        }
        let more = stream.read(&mut block)?;
        if more == 0 {
            return Ok(None);
        }
        octets.extend(&block[..more]);
    }
}

/// `IMF-fixdate` (RFC 9110 §5.6.7).
fn date(seconds: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let days = seconds.div_euclid(86_400);
    let (year, month, day) = calendar::date(days);
    let weekday = DAYS[usize::try_from(days.rem_euclid(7)).unwrap_or(0)];
    let month = calendar::MONTHS[usize::from(month) - 1];
    let second = seconds.rem_euclid(86_400);
    format!(
        "{weekday}, {day:02} {month} {year:04} {:02}:{:02}:{:02} GMT",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Validates a challenge as any authority does (RFC 8555 §8.3).
pub(super) fn fetch_challenge(port: u16, name: &str, token: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(wait::READ_TIMEOUT))?;
    let path = format!("/.well-known/acme-challenge/{token}");
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.contains(" 200 ") { Ok(body.to_owned()) } else { Err(io::Error::other(head.to_owned())) }
}

pub(super) fn json(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok()
}
