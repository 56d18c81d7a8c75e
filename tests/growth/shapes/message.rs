//! Shapes for `message`.

use std::hint::black_box;
use std::num::NonZeroU32;

use message::address_list::{AddressList, Mailbox};
use message::author::senders;
use message::charset::{Charset, CharsetDecoder};
use message::compose::{
    self, Action, AuthenticationResults, DeliveryReport, MethodResult, Peer, Reader, Received,
    RecipientReport,
};
use message::crlf::{ToCrlf, to_crlf};
use message::field::{self, fields};
use message::forged::trace_fields;
use message::mime::{self, ContentDisposition, ContentType, Parameter, Parameters};
use message::outline::Indexer;
use message::section::{SectionContent, select_fields};
use message::transcode::{LineWatch, Survey};
use message::transfer::TransferDecoder;
use message::{Author, DateTime, Envelope, HeaderSection, Outline, encoded_word, message_id, text};

use super::values::{PIECES, PLAIN_PIECES, value};
use super::{Shape, count, fill, shape};

/// The size at which most shapes begin, in octets.
const SIZE: usize = 1024;

/// A function of one value, and the text before the value.
type OfValue = (&'static str, &'static str, fn(Vec<u8>));

const OF_VALUES: [OfValue; 10] = [
    ("Author::of", "From: ", |value| read_author(&value)),
    ("Author::of a display name", "From: <a@example.org>\r\nSender: a@example.org\r\nFrom: a ", |value| {
        read_author(&value);
    }),
    ("AddressList::parse", "", |value| {
        let list = AddressList::parse(&value);
        black_box((list.is_empty(), list.mailboxes().count()));
    }),
    ("AddressList::parse of <", "<", |value| drop(black_box(AddressList::parse(&value)))),
    ("ContentType::parse", "a/b;", |value| drop(black_box(ContentType::parse(&value)))),
    ("ContentType::parse of x=", "a/b; x=", |value| drop(black_box(ContentType::parse(&value)))),
    ("identifiers", "", |value| drop(black_box(message_id::identifiers(&value)))),
    ("DateTime::parse", "Fri, 1", |value| {
        black_box(DateTime::parse(&value));
        black_box(DateTime::quirk_date(&value));
    }),
    ("encoded_word::decode", "", |value| drop(black_box(encoded_word::decode(&value)))),
    ("Envelope::parse", "Sender: a@b\r\nTo: ", |value| {
        let envelope = Envelope::parse(&value);
        black_box((envelope.sender_or_from(), envelope.reply_to_or_from()));
    }),
];

const OF_PLAIN_VALUES: [OfValue; 8] = [
    ("ContentDisposition::parse", "a;", |value| drop(black_box(ContentDisposition::parse(&value)))),
    ("language_tags", "", |value| drop(black_box(mime::language_tags(&value)))),
    ("trace_fields", "Authentication-Results: ", |value| drop(black_box(trace_fields(&value, &host())))),
    ("header_lines", "Subject: ", |value| {
        black_box(text::header_lines(&value).count());
    }),
    ("transfer_encoding", "", |value| drop(black_box(mime::transfer_encoding(&value)))),
    ("unfold", "", |value| drop(black_box(field::unfold(&value)))),
    ("Field::unfolded", "Subject: ", |value| {
        fields(&value).for_each(|field| drop(black_box(field.unfolded())));
    }),
    ("to_crlf", "", |value| drop(black_box(to_crlf(&value)))),
];

pub(crate) fn shapes() -> Vec<Shape> {
    let mut shapes = of_values(&OF_VALUES, &PIECES);
    shapes.extend(of_values(&OF_PLAIN_VALUES, &PLAIN_PIECES));
    shapes.extend(of_headers());
    shapes.extend(of_parameters());
    shapes.extend(of_messages());
    shapes.extend(of_composed());
    shapes.extend(of_times());
    shapes.extend(of_texts());
    shapes
}

/// Decoders of text, each fed its worst input: escape sequences, marks, and combining characters.
fn of_texts() -> Vec<Shape> {
    let mut shapes = Vec::new();
    for charset in ["us-ascii", "iso-2022-jp", "iso-2022-kr", "hz", "johab", "utf-7", "cp850", "gb18030"] {
        for piece in [&b"a"[..], b"\x1b$B", b"~{", b"+", b"\x88\x41", b"\xc3", b"\xff"] {
            let name = format!("Charset::decode of {charset} of {}", piece.escape_ascii());
            let charset = Charset::named(charset.as_bytes()).unwrap();
            shapes.push(shape(
                name,
                SIZE,
                move |size| fill(piece, size),
                move |octets| {
                    let mut decoder = CharsetDecoder::new(charset);
                    let mut read = charset.decode(&octets);
                    octets.chunks(7).for_each(|piece| decoder.push(piece, &mut read));
                    decoder.finish(&mut read);
                    drop(black_box(read));
                },
            ));
        }
    }
    for encoding in ["base64", "quoted-printable", "8bit"] {
        for piece in [&b"="[..], b"a", b" ", b"= ", b"=\n", b"=4"] {
            let name = format!("TransferDecoder of {encoding} of {}", piece.escape_ascii());
            shapes.push(shape(
                name,
                SIZE,
                move |size| fill(piece, size),
                move |octets| {
                    let mut decoder = TransferDecoder::new(Some(encoding.as_bytes()));
                    let mut plain = Vec::new();
                    octets.chunks(7).for_each(|piece| decoder.push(piece, &mut plain));
                    decoder.finish(&mut plain);
                    drop(black_box(plain));
                },
            ));
        }
    }
    for piece in ["a", " ", "\u{301}", "\u{1100}", "ß", "<", "&", "<!--", "<script>", "&#", "</"] {
        let make = move |size| String::from_utf8(fill(piece.as_bytes(), size)).unwrap();
        shapes.push(shape(format!("Folder and HtmlText of {piece:?}"), SIZE, make, |text| {
            let (mut folder, mut html) = (text::TextFolder::default(), text::HtmlText::default());
            let mut read = String::new();
            for one in text.split_inclusive(|_| true) {
                folder.push(one, &mut read);
                html.push(one, &mut read);
            }
            folder.finish(&mut read);
            html.finish(&mut read);
            drop(black_box(read));
        }));
    }
    shapes
}

fn host() -> address::Domain {
    address::Domain::parse("a.example").unwrap()
}

fn read_author(header: &[u8]) {
    drop(black_box(senders(header)));
    if let Ok(author) = Author::of(header) {
        black_box((author.addresses().count(), author.domain(), author.first_domain()));
        drop(black_box((author.entries(), author.addresses_in_names())));
    }
}

fn of_values(functions: &'static [OfValue], pieces: &[&'static str]) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for (name, before, work) in functions {
        for &piece in pieces {
            let make = move |size| [before.as_bytes(), &value(piece, size)].concat();
            shapes.push(shape(format!("{name} of {piece:?}"), SIZE, make, *work));
        }
    }
    shapes
}

fn of_headers() -> Vec<Shape> {
    let mut shapes = Vec::new();
    for piece in [
        "a:\r\n",
        "a: b\r\n c\r\n",
        "a\r\n",
        ":\r\n",
        "\n",
        "a:",
        "To: a@b\r\n",
        "To: a:b,c;\r\n",
        "Subject: a\r\n",
        "\r",
    ] {
        let make = move |size| fill(piece.as_bytes(), size);
        let name = |function: &str| format!("{function} of {piece:?}");
        shapes.extend([
            shape(name("find"), SIZE, make, |header| {
                black_box(field::find(&header, "Nothing").is_some());
            }),
            shape(name("header_length"), SIZE, make, |header| {
                black_box(field::header_length(&header));
            }),
            shape(name("split"), SIZE, make, |header| {
                black_box(field::split(&header));
            }),
            shape(name("select_fields"), SIZE, make, |header| {
                drop(black_box(select_fields(&header, |field| field.is("b"))));
            }),
            shape(name("Envelope::parse"), SIZE, make, |header| drop(black_box(Envelope::parse(&header)))),
            shape(name("Outline::parse"), SIZE, make, |header| drop(black_box(Outline::parse(&header)))),
            shape(name("header_lines"), SIZE, make, |header| {
                black_box(text::header_lines(&header).count());
            }),
            shape(name("trace_fields"), SIZE, make, |header| drop(black_box(trace_fields(&header, &host())))),
            shape(name("HeaderSection::read of octets"), SIZE, make, |header| {
                let (mut section, mut out) = (HeaderSection::default(), Vec::new());
                let mut octets = header.chunks(1);
                let body = octets.find_map(|octet| section.read(octet, &mut out).map(|start| start.held));
                black_box(body.unwrap_or_else(|| section.finish(&mut out)));
            }),
            shape(name("ToCrlf::convert of octets"), SIZE, make, |header| {
                let (mut convert, mut out) = (ToCrlf::default(), Vec::new());
                header.iter().for_each(|octet| convert.convert(&[*octet], &mut out));
                black_box(out);
            }),
        ]);
    }
    for (name, before, piece, after) in [
        ("many authors", "", "a@example.org, ", "a@example.org"),
        ("a name with addresses", "\"", "b@example.org ", "\" <a@example.org>"),
        ("a name of words", "", "a ", "<a@example.org>"),
        ("a comment", "a@example.org (", "()", ")"),
    ] {
        let make = move |size| {
            let value = String::from_utf8(fill(piece.as_bytes(), size)).unwrap();
            let value = format!("{before}{value}{after}");
            format!("From: {value}\r\nSender: {value}\r\n").into_bytes()
        };
        shapes.push(shape(format!("Author::of {name}"), SIZE, make, |header: Vec<u8>| read_author(&header)));
    }
    shapes.push(shape(
        "AddressList::append",
        64,
        |fields| fields,
        |fields| {
            let mut list = AddressList::default();
            (0..fields).for_each(|_| list.append(b"a@b, c"));
            black_box(list);
        },
    ));
    shapes
}

fn of_parameters() -> Vec<Shape> {
    let mut shapes = Vec::new();
    let long = "b".repeat(200);
    for (name, kind) in [
        ("in order", "x*#".to_owned()),
        ("percent encoded", "x*#*".to_owned()),
        ("of as many names", "x#*0".to_owned()),
        ("repeated", "x*0".to_owned()),
        ("of long names", format!("{long}*#")),
        ("without a first", "x*1#".to_owned()),
        ("plain", "x#".to_owned()),
    ] {
        let make = move |count: usize| {
            let parameter = |index: usize| Parameter {
                name: kind.replace('#', &index.to_string()).into_bytes(),
                value: b"a b".to_vec(),
            };
            Parameters((0..count).map(parameter).collect())
        };
        shapes.extend([
            shape(
                format!("Parameters::joined of sections {name}"),
                25,
                make.clone(),
                |parameters: Parameters| {
                    drop(black_box(parameters.joined()));
                },
            ),
            shape(format!("Parameters::decoded of sections {name}"), 25, make.clone(), |parameters| {
                black_box(parameters.decoded("x").is_some());
            }),
            shape(format!("Parameters::named of sections {name}"), 25, make, |parameters| {
                black_box(parameters.named("x").is_some());
            }),
        ]);
    }
    shapes
}

/// Messages by the piece that their body repeats, with a header before it.
fn of_messages() -> Vec<Shape> {
    let multipart = "Content-Type: multipart/mixed; boundary=a\r\n\r\n";
    // Deeper than the indexer goes, so that each line is compared with equally many boundaries at every size.
    let nested: String = (0..60)
        .map(|index| format!("Content-Type: multipart/mixed; boundary=a{index}\r\n\r\n--a{index}\r\n"))
        .collect();
    let messages = "Content-Type: message/rfc822\r\n\r\n".repeat(60);
    let mut shapes = Vec::new();
    for (name, header, piece) in [
        ("parts", multipart.to_owned(), "--a\r\n\r\n"),
        (
            "parts with fields",
            multipart.to_owned(),
            "--a\r\nContent-Type: text/plain; x*0=a; x*1=b\r\n\r\nb\r\n",
        ),
        (
            "parts that are messages",
            multipart.to_owned(),
            "--a\r\nContent-Type: message/rfc822\r\n\r\nTo: a@b\r\n\r\n",
        ),
        ("delimiters of no part", multipart.to_owned(), "--b\r\n"),
        ("ends", multipart.to_owned(), "--a--\r\n"),
        ("headers that do not end", multipart.to_owned(), "--a\r\na: b\r\n"),
        ("delimiters at the deepest part", nested.clone(), "--b\r\n"),
        ("boundaries of the outermost", nested.clone(), "--a0\r\n\r\n"),
        ("text at the deepest part", nested, "text\n"),
        ("messages within messages", messages, "To: a@b\r\n"),
        ("one line", String::new(), "a"),
        ("lines", "\r\n".to_owned(), "a\n"),
        ("base64", "Content-Transfer-Encoding: base64\r\n\r\n".to_owned(), "YQ=="),
        ("quoted-printable", "Content-Transfer-Encoding: quoted-printable\r\n\r\n".to_owned(), "=41=\r\n"),
        ("soft breaks", "Content-Transfer-Encoding: quoted-printable\r\n\r\n".to_owned(), " =\n"),
        ("utf-7", "Content-Type: text/plain; charset=utf-7\r\n\r\n".to_owned(), "+AGE"),
        ("iso-2022-jp", "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n".to_owned(), "\u{1b}$B"),
        ("gb18030", "Content-Type: text/plain; charset=gb18030\r\n\r\n".to_owned(), "\u{81}"),
        ("letters beyond ASCII", "Content-Type: text/plain; charset=utf-8\r\n\r\n".to_owned(), "ß\t"),
    ] {
        let make = move |size| [header.as_bytes(), &fill(piece.as_bytes(), size)].concat();
        let (pieces, blob, read, transcoded) = (make.clone(), make.clone(), make.clone(), make.clone());
        shapes.extend([
            shape(format!("Outline::parse of {name}"), SIZE, make, |stored| {
                drop(black_box(Outline::parse(&stored)));
            }),
            shape(format!("Rewriter of {name}"), SIZE, transcoded, |stored| transcode(&stored)),
            shape(format!("Indexer::push of {name} octet by octet"), SIZE, pieces, |stored| {
                let mut indexer = Indexer::new();
                stored.iter().for_each(|octet| indexer.push(&[*octet]));
                drop(black_box(indexer.finish()));
            }),
            shape(
                format!("Outline::decode of {name}"),
                SIZE,
                move |size| Outline::parse(&blob(size)),
                |outline| {
                    let blob = outline.encode();
                    drop(black_box(Outline::decode(&blob)));
                    drop(black_box(Outline::decode_envelope(&blob)));
                },
            ),
            shape(
                format!("Outline::pieces and Part::text of {name}"),
                SIZE,
                move |size| (Outline::parse(&read(size)), read(size)),
                |(outline, stored)| every_piece(&outline, &stored),
            ),
        ]);
    }
    shapes
}

/// Encodes a message octet by octet where it needs that.
fn transcode(stored: &[u8]) {
    let mut lines = LineWatch::default();
    let mut survey = Survey::new(&Outline::parse(stored));
    for octet in stored {
        lines.push(&[*octet]);
        survey.push(&[*octet]);
    }
    black_box(lines.found());
    let Ok(plan) = survey.finish() else { return };
    black_box(plan.offence());
    let (mut rewriter, mut out) = (plan.rewriter(), Vec::new());
    stored.iter().for_each(|octet| rewriter.push(&[*octet], &mut out));
    rewriter.finish(&mut out);
    black_box(out);
}

/// Reads everything that is read of one message.
fn every_piece(outline: &Outline, stored: &[u8]) {
    let first = NonZeroU32::MIN;
    black_box(outline.part(&vec![first; stored.len()]));
    black_box(outline.locate(&vec![first; stored.len()], SectionContent::All));
    black_box((outline.whole(), outline.octets(), outline.whole().has_lone_line_feeds()));
    for piece in outline.searchable_parts() {
        match piece {
            text::SearchablePart::Header(span) | text::SearchablePart::Mime(span) => {
                black_box(text::header_lines(span.slice(stored)).count());
            }
            text::SearchablePart::Text(part) => {
                let mut read = String::new();
                let mut decoder = part.text_decoder();
                decoder.push(part.body.slice(stored), &mut read);
                decoder.finish(&mut read);
                black_box((part.is_html(), read));
            }
        }
    }
}

fn of_composed() -> Vec<Shape> {
    let mut shapes = Vec::new();
    for piece in ["a", " ", "é", "\r\n", "(", "\"", "\\", "a ", "@"] {
        let make = move |size| String::from_utf8(fill(piece.as_bytes(), size)).unwrap();
        let name = |function: &str| format!("{function} of {piece:?}");
        shapes.extend([
            shape(name("compose::field"), SIZE, make, |text| {
                drop(black_box(compose::field("Subject", &text)))
            }),
            shape(name("message_id_field"), SIZE, make, |text| {
                drop(black_box(compose::message_id_field(&text, &text)));
            }),
            shape(name("folded"), SIZE, make, |text| drop(black_box(text::folded(&text)))),
            shape(name("Received::field"), SIZE, make, |text| drop(black_box(received(&text)))),
            shape(name("AuthenticationResults::field"), SIZE, make, |text| {
                let method = MethodResult {
                    method: "spf",
                    result: &text,
                    comment: Some(text.clone()),
                    properties: vec![("a", text.clone())],
                };
                drop(black_box(AuthenticationResults { host: &text, methods: vec![method] }.field()));
            }),
            shape(name("DeliveryReport::compose"), SIZE, make, |text| drop(black_box(report(&text, 1)))),
            shape(name("Mailbox::address"), SIZE, make, |text| {
                let mailbox =
                    Mailbox { local: text.clone().into(), domain: text.into(), ..Mailbox::default() };
                black_box(mailbox.address());
            }),
        ]);
    }
    // The returned header contains every boundary that a report begins with.
    let guessed = |size| String::from_utf8(count("report-a==: b\r\n", size)).unwrap();
    shapes.extend([
        shape("DeliveryReport::compose of guessed boundaries", SIZE, guessed, |text| {
            drop(black_box(report(&text, 1)))
        }),
        shape(
            "DeliveryReport::compose of recipients",
            16,
            |recipients| recipients,
            |recipients| {
                drop(black_box(report("a", recipients)));
            },
        ),
        shape(
            "return_path_field",
            16,
            |size| format!("<{}@example.org>", "a".repeat(size)),
            |path| {
                let path = address::ReversePath::parse(&path).unwrap();
                drop(black_box(compose::return_path_field(&path)));
            },
        ),
    ]);
    shapes
}

fn received(text: &str) -> String {
    let peer = Peer { helo: text, ip: [192, 0, 2, 1].into(), name: Some(text) };
    let date = DateTime::from_unix(0, 0);
    Received { from: Some(peer), by: text, with: text, tls: Some(text), id: text, recipient: None, date }
        .field()
}

fn report(text: &str, recipients: usize) -> Vec<u8> {
    let address = address::Address::parse("a@example.org").unwrap();
    let date = DateTime::from_unix(0, 0);
    let recipient = RecipientReport {
        recipient: &address,
        original_recipient: Some(&address),
        action: Action::Failed,
        status: "5.0.0",
        remote_host: Some(text),
        diagnostic: Some(text),
        last_attempt: Some(date),
    };
    DeliveryReport {
        reporting_host: text,
        to: &address,
        reader: Reader::Sender,
        date,
        arrived: date,
        queue_id: text,
        unique: "a",
        envelope_id: Some(text),
        recipients: vec![recipient; recipients],
        original: text.as_bytes(),
    }
    .compose()
}

/// Functions of a number: the work must not depend on the number.
fn of_times() -> Vec<Shape> {
    vec![shape(
        "DateTime",
        1 << 40,
        |size| size,
        |seconds| {
            let date = DateTime::from_unix(seconds as i64, 60);
            black_box((date.to_unix(), date.date(), date.time(), date.offset_minutes(), date.rfc5322()));
            drop(black_box(compose::date_field(&date)));
            drop(black_box((ContentType::plain("a", "b").is("a", "b"), ContentType::default_text())));
        },
    )]
}
