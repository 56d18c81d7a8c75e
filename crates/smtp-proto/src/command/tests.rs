use address::{ForwardPath, ReversePath};
use proptest::prelude::*;
use sasl::Mechanism;

use super::*;

fn mail(line: &str) -> Result<MailCommand, CommandError> {
    match Command::parse(line.as_bytes())? {
        Command::Mail(mail) => Ok(mail),
        other => panic!("{line:?} was read as {other:?}"),
    }
}

#[test]
fn verbs_have_no_case_and_trailing_blanks_do_not_count() {
    for line in ["QUIT", "quit", "Quit  ", "QUIT \t"] {
        assert_eq!(Command::parse(line.as_bytes()), Ok(Command::Quit));
    }
}

#[test]
fn a_command_without_arguments_is_refused_with_arguments() {
    for verb in ["DATA", "RSET", "QUIT", "STARTTLS"] {
        assert_eq!(Command::parse(format!("{verb} x").as_bytes()), Err(CommandError::NoArguments));
    }
    assert_eq!(Command::parse(b"NOOP whatever that is"), Ok(Command::Noop));
    assert_eq!(Command::parse(b"VRFY"), Err(CommandError::BadArguments));
}

#[test]
fn a_line_with_a_control_octet_is_malformed() {
    for line in [&b"NO\0OP"[..], b"NOOP a\nb", b"NOOP a\rb"] {
        assert_eq!(Command::parse(line), Err(CommandError::MalformedLine));
    }
}

#[test]
fn mail_reads_its_path_and_the_parameters_of_announced_extensions() {
    let read = mail("mail from:<ann@example.org> size=1000 BODY=8bitmime AUTH=<>").unwrap();
    assert_eq!(read.sender, ReversePath::parse("<ann@example.org>").unwrap());
    assert_eq!((read.size, read.body), (Some(1000), BodyKind::EightBitMime));
    assert_eq!(mail("MAIL FROM: <>").unwrap().sender, ReversePath::Null);
    assert_eq!(mail("MAIL FROM:<\"a> b\"@example.org> SIZE=1").unwrap().size, Some(1));
    assert_eq!(mail("MAIL FROM:<> SIZE=99999999999999999999").unwrap().size, Some(u64::MAX));
}

#[test]
fn a_plain_address_is_read_without_its_brackets_too() {
    let read = mail("MAIL FROM:ann@example.org SIZE=10").unwrap();
    assert_eq!((read.sender, read.size), (ReversePath::parse("<ann@example.org>").unwrap(), Some(10)));
    assert_eq!(mail("MAIL FROM: ann@example.org").unwrap().sender.to_string(), "<ann@example.org>");
    let recipient = ForwardPath::parse("<bob@example.org>").unwrap();
    assert_eq!(
        Command::parse(b"RCPT TO:bob@example.org"),
        Ok(Command::Rcpt(RcptCommand { recipient, has_utf8: false, has_dsn: false }))
    );
}

#[test]
fn a_malformed_mail_command_is_refused_with_its_error() {
    for (line, error) in [
        ("MAIL", CommandError::BadArguments),
        ("MAIL TO:<ann@example.org>", CommandError::BadArguments),
        ("MAIL FROM:ann", CommandError::BadArguments),
        ("MAIL FROM:ann@example.org>", CommandError::BadSender),
        ("MAIL FROM:<ann@example.org", CommandError::BadArguments),
        ("MAIL FROM:\"ann\"@example.org", CommandError::BadArguments),
        ("MAIL FROM:@relay.example:ann", CommandError::BadSender),
        ("MAIL FROM:<ann@example.org>SIZE=1", CommandError::BadArguments),
        ("MAIL FROM:<ann@>", CommandError::BadSender),
        ("MAIL FROM:<ann>", CommandError::BadSender),
        ("MAIL FROM:<jürgen@example.org>", CommandError::NonAsciiSender),
        ("MAIL FROM:<> SIZE", CommandError::BadArguments),
        ("MAIL FROM:<> SIZE=-1", CommandError::BadArguments),
        ("MAIL FROM:<> SIZE=1 SIZE=2", CommandError::BadArguments),
        ("MAIL FROM:<> BODY=BINARY", CommandError::BadArguments),
        ("MAIL FROM:<> AUTH=a+0g", CommandError::BadArguments),
        ("MAIL FROM:<> SMTPUTF8=yes", CommandError::BadArguments),
        ("MAIL FROM:<> SMTPUTF8 SMTPUTF8", CommandError::BadArguments),
        ("MAIL FROM:<ann@b\u{fc}cher.example>", CommandError::NonAsciiSender),
        ("MAIL FROM:<> MT-PRIORITY=3", CommandError::UnknownParameter),
    ] {
        assert_eq!(mail(line), Err(error), "{line:?}");
    }
}

#[test]
fn rcpt_knows_the_postmaster_and_no_foreign_parameters() {
    let read = |line: &str| Command::parse(line.as_bytes());
    let postmaster = RcptCommand { recipient: ForwardPath::Postmaster, has_utf8: false, has_dsn: false };
    assert_eq!(read("RCPT TO:<PostMaster>"), Ok(Command::Rcpt(postmaster)));
    assert_eq!(read("RCPT TO:<>"), Err(CommandError::BadRecipient));
    assert_eq!(read("RCPT TO:<a@b> RRVS=2014-04-03T23:01:00Z"), Err(CommandError::UnknownParameter));
}

#[test]
fn the_name_in_a_hello_is_made_printable() {
    let read = |line: &[u8]| match Command::parse(line) {
        Ok(Command::Hello(_, name)) => Ok((name.as_str().to_owned(), name.is_exact())),
        Ok(other) => panic!("read as {other:?}"),
        Err(error) => Err(error),
    };
    for name in ["mail.example.org", "my_pc", "192.0.2.1", "[192.0.2.1]", "[IPv6:2001:db8::1]"] {
        assert_eq!(read(format!("EHLO {name} ").as_bytes()), Ok((name.to_owned(), true)));
    }
    for (sent, written) in [
        (&b"EHLO two words"[..], "two?words"),
        (b"ehlo a(b)", "a?b?"),
        (b"HELO a;b", "a?b"),
        ("EHLO B\u{fc}ro-PC".as_bytes(), "B?ro-PC"),
        (b"EHLO B\xfcro-PC", "B?ro-PC"),
        ("EHLO \u{41f}\u{41a}".as_bytes(), "??"),
        (b"EHLO ANN$", "ANN?"),
        (b"EHLO [IPv6:fe80::1%eth0]", "[IPv6:fe80::1?eth0]"),
        (b"EHLO a\tb\x1b[31m", "a?b?[31m"),
    ] {
        assert_eq!(read(sent), Ok((written.to_owned(), false)), "{}", sent.escape_ascii());
    }
    let longest = "a".repeat(255);
    assert_eq!(read(format!("EHLO {longest}").as_bytes()), Ok((longest.clone(), true)));
    assert_eq!(read(format!("EHLO {longest}a").as_bytes()), Ok((longest, false)));
    for bad in ["EHLO", "EHLO ", "HELO   ", "LHLO \t"] {
        assert_eq!(read(bad.as_bytes()), Err(CommandError::BadHelloName), "{bad:?}");
    }
}

#[test]
fn auth_may_have_an_initial_response() {
    let read = |line: &str| match Command::parse(line.as_bytes())? {
        Command::Auth(auth) => Ok((auth.mechanism, auth.initial)),
        other => panic!("{line:?} was read as {other:?}"),
    };
    assert_eq!(read("AUTH plain"), Ok((Mechanism::Plain, None)));
    assert_eq!(read("AUTH PLAIN ="), Ok((Mechanism::Plain, Some("=".to_owned()))));
    assert_eq!(read("AUTH LOGIN YW5u"), Ok((Mechanism::Login, Some("YW5u".to_owned()))));
    assert_eq!(read("AUTH GSSAPI"), Err(CommandError::UnknownMechanism));
    assert_eq!(read("AUTH"), Err(CommandError::BadArguments));
    assert_eq!(read("AUTH PLAIN a b"), Err(CommandError::BadArguments));
}

#[test]
fn the_initial_response_of_auth_is_not_in_debug_output() {
    let command = Command::parse(b"AUTH PLAIN AGFubgBjb3JyZWN0IGhvcnNl").unwrap();
    assert!(!format!("{command:?}").contains("AGFubg"));
}

proptest! {
    #[test]
    fn any_line_is_read_or_refused(line in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Command::parse(&line);
    }

    #[test]
    fn any_arguments_are_read_or_refused(verb in "(MAIL FROM:|RCPT TO:|AUTH |EHLO )", rest in "[<>\"\\\\@a.= +ü]{0,20}") {
        let _ = Command::parse(format!("{verb}{rest}").as_bytes());
    }
}

#[test]
fn the_parameters_of_delivery_reports_are_read_on_both_commands() {
    let read = mail("MAIL FROM:<> ENVID=01jd+2Ba+20b RET=hdrs").unwrap();
    assert_eq!(read.envelope_id.as_ref().map(EnvelopeId::as_str), Some("01jd+a b"));
    assert!(read.has_dsn && !mail("MAIL FROM:<>").unwrap().has_dsn);
    for bad in
        ["ENVID", "ENVID=", "ENVID=+0A", "ENVID=+2b", "ENVID=+2", "ENVID=a=b", "RET=ALL", "ENVID=a ENVID=b"]
    {
        assert_eq!(mail(&format!("MAIL FROM:<> {bad}")), Err(CommandError::BadArguments), "{bad}");
    }
    let longest = "a".repeat(100);
    assert!(mail(&format!("MAIL FROM:<> ENVID={longest}")).is_ok());
    assert!(mail(&format!("MAIL FROM:<> ENVID={longest}a")).is_err());

    let rcpt = |parameters: &str| Command::parse(format!("RCPT TO:<a@b.example> {parameters}").as_bytes());
    for valid in ["NOTIFY=NEVER", "NOTIFY=success,DELAY", "ORCPT=rfc822;a+2Bb@c.example"] {
        assert!(rcpt(valid).is_ok(), "{valid}");
    }
    for bad in ["NOTIFY=", "NOTIFY=NEVER,DELAY", "NOTIFY", "ORCPT=a@b", "ORCPT=;a", "ORCPT=rfc822;+"] {
        assert_eq!(rcpt(bad), Err(CommandError::BadArguments), "{bad}");
    }
}

#[test]
fn the_size_of_a_chunk_is_digits_only() {
    let chunk = |size, is_last| Ok(Command::Bdat(BdatCommand { size, is_last }));
    for (line, parsed) in [
        ("BDAT 0", chunk(0, false)),
        ("bdat 17 last", chunk(17, true)),
        ("BDAT 00017 LAST ", chunk(17, true)),
        ("BDAT 18446744073709551616", chunk(u64::MAX, false)),
        ("BDAT", Err(CommandError::BadChunkSize)),
        ("BDAT LAST", Err(CommandError::BadChunkSize)),
        ("BDAT +1", Err(CommandError::BadChunkSize)),
        ("BDAT -1", Err(CommandError::BadChunkSize)),
        ("BDAT 1 2", Err(CommandError::BadChunkSize)),
        ("BDAT  1", Err(CommandError::BadChunkSize)),
        ("BDAT 1 LAST LAST", Err(CommandError::BadChunkSize)),
        ("BDAT \u{661}", Err(CommandError::BadChunkSize)),
    ] {
        assert_eq!(Command::parse(line.as_bytes()), parsed, "{line}");
    }
}
