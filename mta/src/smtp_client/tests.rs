use address::{Address, Domain, ForwardPath, Host, ReversePath};
use smtp_proto::Dialect;
use smtp_proto::client::Tls;
use smtp_proto::command::BodyKind;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::time::sleep;

use super::*;

const TIMEOUTS: Timeouts = Timeouts {
    command: Duration::from_secs(300),
    final_reply: Duration::from_secs(600),
    total: Duration::from_secs(1800),
};

fn settings() -> Arc<Settings> {
    let hello_name = Host::Domain(Domain::parse("mail.example.org").unwrap());
    Arc::new(Settings { dialect: Dialect::Smtp, hello_name, tls: Tls::Never, login: None })
}

/// A server that sends each of the lines after its number of seconds, and then one more octet every 20 s.
fn server(lines: Vec<(u64, &'static str)>) -> Stream {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    tokio::spawn(async move {
        for (seconds, line) in lines {
            sleep(Duration::from_secs(seconds)).await;
            theirs.write_all(line.as_bytes()).await.unwrap();
        }
        while theirs.write_all(b"2").await.is_ok() {
            sleep(Duration::from_secs(20)).await;
        }
    });
    ours.into()
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_trickles_in_has_a_deadline() {
    let begin = Instant::now();
    let opened = SmtpClient::open(server(Vec::new()), settings(), None, TIMEOUTS).await;
    assert!(matches!(opened, Err(OpenError::Unusable(reply)) if reply == replies::PEER_TIMED_OUT));
    assert_eq!(begin.elapsed(), TIMEOUTS.command);
}

#[tokio::test(start_paused = true)]
async fn all_replies_together_have_a_deadline() {
    let opening = [(0, "220 slow\r\n"), (0, "250-slow\r\n250 PIPELINING\r\n")];
    let lines = opening.into_iter().chain(std::iter::repeat_n((290, "250 ok\r\n"), 200));
    let mut client = SmtpClient::open(server(lines.collect()), settings(), None, TIMEOUTS).await.unwrap();
    let recipient = ForwardPath::Address(Address::parse("ann@example.com").unwrap());
    let envelope = Envelope {
        sender: ReversePath::Null,
        recipients: vec![recipient; 100],
        size: 10,
        body: BodyKind::SevenBit,
        has_utf8_header: false,
        requires_tls: false,
        id: None,
        is_junk: false,
    };
    let content = Content::from_octets(b"A: b\r\n\r\nbody\r\n".to_vec());
    let begin = Instant::now();
    let outcomes = client.deliver(MailId::new(), envelope, &content).await;
    assert_eq!(begin.elapsed(), TIMEOUTS.total);
    assert_eq!(outcomes, vec![Outcome::Deferred(replies::PEER_TIMED_OUT); 100]);
}
