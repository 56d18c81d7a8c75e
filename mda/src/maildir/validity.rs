//! Dovecot's counter of validities, in the name of an empty file: `dovecot-uidvalidity.<8 hexadecimal digits>`.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{MaildirError, UidValidity};

const VALIDITY: &str = "dovecot-uidvalidity.";

/// A validity that no mailbox of this Maildir has had: the clock, or one more than the last.
pub(crate) fn next(root: &Path) -> Result<UidValidity, MaildirError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as u32;
    loop {
        let (last, files) = validities(root)?;
        let next = last.map_or(now, |last| now.max(last.saturating_add(1))).max(1);
        let file = root.join(format!("{VALIDITY}{next:08x}"));
        let taken = match files.iter().max() {
            // Of all processes that rename the same file, one succeeds.
            Some(counter) => fs::rename(root.join(counter), &file),
            None => fs::OpenOptions::new().write(true).create_new(true).open(&file).map(drop),
        };
        match (taken, UidValidity::new(next)) {
            (Ok(()), Some(validity)) => {
                durable::sync_folder(root)?;
                return Ok(validity);
            }
            (Err(error), _)
                if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists) =>
            {
                return Err(MaildirError::disk("create", &file)(error));
            }
            // Another process was faster.
            _ => {}
        }
    }
}

/// The greatest validity that was assigned, and the files that count them.
fn validities(root: &Path) -> Result<(Option<u32>, Vec<String>), MaildirError> {
    let disk = |source| MaildirError::disk("list", root)(source);
    let mut files = Vec::new();
    for entry in fs::read_dir(root).map_err(disk)? {
        if let Ok(name) = entry.map_err(disk)?.file_name().into_string()
            && parse_counter(&name).is_some()
        {
            files.push(name);
        }
    }
    Ok((files.iter().filter_map(|name| parse_counter(name)).max(), files))
}

fn parse_counter(file: &str) -> Option<u32> {
    let digits = file.strip_prefix(VALIDITY).filter(|digits| digits.len() == 8)?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validities_are_unique_and_continue_dovecots_counter() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("dovecot-uidvalidity.fffffff0"), b"").unwrap();
        assert_eq!(next(root.path()).unwrap().value(), 0xffff_fff1);
        let root = tempfile::tempdir().unwrap();
        let given: std::collections::BTreeSet<_> = std::thread::scope(|scope| {
            let workers: Vec<_> =
                (0..4).map(|_| scope.spawn(|| [(); 8].map(|()| next(root.path()).unwrap()))).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        assert_eq!(given.len(), 32);
    }
}
