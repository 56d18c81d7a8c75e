//! Files as Dovecot 2.3.19 wrote them with `zlib_save` set to each of its methods.

use std::io::read_to_string;

use super::*;
use crate::maildir::Folder;

const GZIP: &str = "1f8b08000000000000030b2e4dca4a4d2eb15248afe2e22ac94855284ecc4d55c8c9cc4b55484c4fcccca38b18003ad23c7985000000";
const ZSTD: &str = "28b52ffd005854010024025375626a6563743a207a7374640a0a7468652073616d65206c696e6520616761696e01001297ce27010000";
const LZ4: &str = "446f7665636f742d4c5a340d2a9bc5000100000000002cff125375626a6563743a206c7a340a0a7468652073616d65206c696e6520616761696e14004d506761696e0a";
const BZIP2: &str = "425a6839314159265359019a644f00000edb8000104000101008003af70e10200050a6134d01a6208a9a434d0346d48c0c5c75a0339d2c3d0e466b6b8c8fa39c0f234191fae351906067033b7e2ee48a70a1200334c89e";
const XZ: &str = "fd377a585a000004e6d6b446";

fn octets(hexadecimal: &str) -> Vec<u8> {
    (0..hexadecimal.len() / 2)
        .map(|at| u8::from_str_radix(&hexadecimal[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

/// The message read from a file with these octets.
fn read(stored: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("message");
    std::fs::write(&path, stored).unwrap();
    let name = FileName::parse(Folder::Cur, "1.host:2,SZ").unwrap();
    let file = File::open(&path).unwrap();
    let mut message =
        decompress_if_needed(file, stored.len() as u64, &folder.path().join("scratch"), &name).unwrap();
    let mut read = Vec::new();
    message.read_to_end(&mut read).unwrap();
    assert!(
        std::fs::read_dir(folder.path().join("scratch")).is_ok_and(|mut files| files.next().is_none())
            || read == stored
    );
    read
}

#[test]
fn a_message_compressed_by_dovecot_is_decompressed() {
    for (stored, method) in [(GZIP, "gz"), (ZSTD, "zstd"), (LZ4, "lz4")] {
        let message = format!("Subject: {method}\n\n{}", "the same line again\n".repeat(6));
        assert_eq!(String::from_utf8(read(&octets(stored))).unwrap(), message);
    }
}

#[test]
fn an_undecodable_file_is_served_as_stored() {
    let cut = |stored: &str| octets(stored)[..octets(stored).len() - 9].to_vec();
    for stored in [
        octets(BZIP2),
        octets(XZ),
        cut(GZIP),
        cut(LZ4),
        octets(&ZSTD[..40]),
        octets("1f8b"),
        octets("1f8b08"),
    ] {
        assert_eq!(read(&stored), stored);
    }
    for text in ["", "x", "Subject: BZh91AY&SY\n\n", "BZh9: a field\n\n"] {
        assert_eq!(read(text.as_bytes()), text.as_bytes());
    }
}

#[test]
fn a_message_that_would_fill_the_disk_is_not_decompressed() {
    let folder = tempfile::tempdir().unwrap();
    let mut bounded = LimitedFile { file: unnamed_file(folder.path()).unwrap(), left: 10, is_failing: false };
    bounded.write_all(b"0123456789").unwrap();
    assert_eq!(bounded.write_all(b"x").unwrap_err().kind(), ErrorKind::FileTooLarge);
    assert!(!bounded.is_failing);
    bounded.file.seek(SeekFrom::Start(0)).unwrap();
    assert_eq!(read_to_string(&bounded.file).unwrap(), "0123456789");
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "the file has a name");
}

#[test]
fn a_disk_failure_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (path, scratch) = (folder.path().join("message"), folder.path().join("scratch"));
    std::fs::write(&path, octets(GZIP)).unwrap();
    std::fs::write(&scratch, "no folder").unwrap();
    let name = FileName::parse(Folder::Cur, "1.host:2,SZ").unwrap();
    assert!(decompress_if_needed(File::open(&path).unwrap(), 57, &scratch, &name).is_err());
    // A disk that is full.
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut bounded = LimitedFile { file: full, left: MAX_SIZE, is_failing: false };
    let message = File::open(&path).unwrap();
    assert!(decompress(&message, Method::Gzip, &mut bounded).is_err() && bounded.is_failing);
}

proptest::proptest! {
    #[test]
    fn any_octets_after_any_mark_are_served(mark in 0usize..3, octets: Vec<u8>) {
        let marks: [&[u8]; 3] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", lz4::MARK];
        read(&[marks[mark], &octets].concat());
    }

    #[test]
    fn an_lz4_block_never_exceeds_a_chunk(block: Vec<u8>) {
        let start = [lz4::MARK, &[0, 1, 0, 0], &(block.len() as u32).to_be_bytes(), &block].concat();
        let mut out = Vec::new();
        let _ = lz4::decode(&mut &start[..], &mut out);
        proptest::prop_assert!(out.len() <= 1 << 20);
    }
}
