use super::*;

fn binary(command: u8, family: u8, variable: &[u8]) -> Vec<u8> {
    let length = u16::try_from(variable.len()).unwrap();
    [&SIGNATURE[..], &[command, family], &length.to_be_bytes(), variable].concat()
}

/// Reads as a connection does: never more octets than the header is known to have.
fn read_in_pieces(octets: &[u8]) -> Result<(Source, usize), HeaderError> {
    let mut end = 0;
    loop {
        match read(&octets[..end])? {
            Progress::Complete(source) => return Ok((source, end)),
            Progress::Incomplete(more) => {
                assert!(more > 0);
                end += more;
                assert!(end <= octets.len(), "an octet behind the header would be taken");
            }
        }
    }
}

#[test]
fn a_client_is_read_from_both_versions_and_no_octet_behind_is_taken() {
    let ipv4 = [192, 0, 2, 7, 198, 51, 100, 1, 0x30, 0x39, 0, 25];
    let mut ipv6 = [0; 36];
    ipv6[..4].copy_from_slice(&[0x20, 1, 0x0d, 0xb8]);
    ipv6[15] = 7;
    ipv6[32..34].copy_from_slice(&[0x30, 0x39]);
    let with_extension = [&ipv4[..], &[4, 0, 2, 9, 9]].concat();
    for (header, client) in [
        (b"PROXY TCP4 192.0.2.7 198.51.100.1 12345 25\r\n".to_vec(), "192.0.2.7:12345"),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 12345 25\r\n".to_vec(), "[2001:db8::7]:12345"),
        (binary(0x21, 0x11, &ipv4), "192.0.2.7:12345"),
        (binary(0x21, 0x11, &with_extension), "192.0.2.7:12345"),
        (binary(0x21, 0x21, &ipv6), "[2001:db8::7]:12345"),
    ] {
        let stream = [&header[..], b"EHLO client\r\n"].concat();
        let expected = Source::Client(client.parse().unwrap());
        assert_eq!(read_in_pieces(&stream), Ok((expected, header.len())), "{client}");
        for end in 0..header.len() {
            assert!(matches!(read(&header[..end]), Ok(Progress::Incomplete(_))), "{client} {end}");
        }
    }
}

#[test]
fn a_health_check_is_of_the_proxy_itself() {
    for header in [&b"PROXY UNKNOWN\r\n"[..], b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", &binary(0x20, 0, b"")]
    {
        assert_eq!(read_in_pieces(header), Ok((Source::Proxy, header.len())));
    }
}

#[test]
fn every_other_beginning_is_an_error() {
    use HeaderError::{Malformed, Missing, NotTcp, TooLong};
    let long_line = [b"PROXY UNKNOWN ".to_vec(), vec![b'x'; MAX_LINE]].concat();
    for (octets, error) in [
        (b"EHLO client\r\n".to_vec(), Missing),
        (b"\x16\x03\x01\x02\x00\x01".to_vec(), Missing),
        (b"PROXY TCP4 192.0.2.7 198.51.100.1 12345 25\n".to_vec(), Malformed),
        (b"PROXY TCP4 2001:db8::7 198.51.100.1 12345 25\r\n".to_vec(), Malformed),
        (b"PROXY TCP4 192.0.2.7 198.51.100.1 012 25\r\n".to_vec(), Malformed),
        (b"PROXY TCP4 192.0.2.7 198.51.100.1 +12 25\r\n".to_vec(), Malformed),
        (b"PROXY TCP4 192.0.2.7 198.51.100.1 65536 25\r\n".to_vec(), Malformed),
        (b"PROXY TCP4 192.0.2.7 198.51.100.1 12345 25 x\r\n".to_vec(), Malformed),
        (b"PROXY UDP4 192.0.2.7 198.51.100.1 12345 25\r\n".to_vec(), Malformed),
        (long_line, TooLong),
        (binary(0x21, 0x11, &vec![0; MAX_VARIABLE + 1]), TooLong),
        (binary(0x21, 0x11, &[0; 11]), Malformed),
        (binary(0x21, 0x21, &[0; 35]), Malformed),
        (binary(0x11, 0x11, &[0; 12]), Malformed),
        (binary(0x22, 0x11, &[0; 12]), Malformed),
        (binary(0x21, 0x00, b""), NotTcp),
        (binary(0x21, 0x31, &[0; 216]), NotTcp),
        (binary(0x21, 0x12, &[0; 12]), NotTcp),
    ] {
        assert_eq!(read_in_pieces(&octets), Err(error), "{octets:?}");
    }
}
