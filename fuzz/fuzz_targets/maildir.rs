//! Content of a Maildir from other programs: file names, UID lists, folder names.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mda::maildir::folder_name::{self, FolderName};
use mda::maildir::{MailboxName, modified_utf7, uid_list};

fuzz_target!(|octets: &[u8]| {
    if let Some((_, length)) = uid_list::parse_header(octets) {
        assert!(length <= octets.len());
    }
    let parsed = uid_list::parse_records(octets, None);
    assert!(parsed.length <= octets.len());
    let _ = folder_name::escape_octets(octets);
    if let Ok(text) = std::str::from_utf8(octets) {
        assert_eq!(modified_utf7::decode(&modified_utf7::encode(text)).as_deref(), Some(text));
        let _ = modified_utf7::decode(text);
        if let Some(FolderName::Canonical(name)) = folder_name::decode(text) {
            assert_eq!(folder_name::encode(&name), text);
        }
        if let Ok(name) = MailboxName::parse(text)
            && !name.is_inbox()
            && folder_name::encode(&name).len() <= 255
        {
            assert_eq!(folder_name::decode(&folder_name::encode(&name)), Some(FolderName::Canonical(name)));
        }
    }
});
