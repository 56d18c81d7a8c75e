//! What other programs may have left in a Maildir: file names, UID lists, folders' names.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mda::maildir::{modified_utf7, uid_list};

fuzz_target!(|octets: &[u8]| {
    if let Some((_, length)) = uid_list::header(octets) {
        assert!(length <= octets.len());
    }
    let parsed = uid_list::records(octets, None);
    assert!(parsed.length <= octets.len());
    if let Ok(text) = std::str::from_utf8(octets) {
        assert_eq!(modified_utf7::decode(&modified_utf7::encode(text)).as_deref(), Some(text));
        let _ = modified_utf7::decode(text);
    }
});
