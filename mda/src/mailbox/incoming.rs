use std::time::SystemTime;

use super::StoreError;
use crate::maildir::{Flags, Uid, UidValidity};

/// A message on its way into a mailbox. Small ones wait in memory, larger ones in `tmp`. Dropped, it leaves nothing.
#[derive(Debug)]
pub struct Incoming {}

/// Where an appended message stands (APPENDUID, RFC 4315 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The mailbox's UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// The message's UID.
    pub uid: Uid,
}

impl Incoming {
    /// Takes the next octets of the message.
    pub async fn write(&mut self, _octets: &[u8]) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// How many octets were taken.
    pub fn size(&self) -> u64 {
        unimplemented!()
    }

    /// Stores the message with flags, keywords by name, and the date that INTERNALDATE shows (now, when not given).
    /// When it returns, the message and its UID are on disk, and sessions that have the mailbox open hear of it.
    pub async fn append(
        self,
        _flags: Flags,
        _keywords: &[String],
        _received: Option<SystemTime>,
    ) -> Result<Appended, StoreError> {
        unimplemented!()
    }

    /// Delivers the message into `new`. When it returns, the message is on disk; its UID is given to it when
    /// somebody looks, and sessions that have the mailbox open hear of it at once.
    pub async fn deliver(self) -> Result<(), StoreError> {
        unimplemented!()
    }
}
