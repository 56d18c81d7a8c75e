//! Notices that a daemon, perhaps a compromised one, sends to process 1.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|datagram: &[u8]| {
    let _ = handover::notice::Notice::parse(datagram);
});
