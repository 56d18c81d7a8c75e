//! Addresses, domains and paths: what is read can be written, and reads as the same.

#![no_main]

use address::{Address, Domain, ForwardPath, Host, LocalPart, ReversePath};
use libfuzzer_sys::fuzz_target;

macro_rules! survives_a_round {
    ($type:ty, $text:expr) => {
        if let Ok(value) = <$type>::parse($text) {
            let written = value.to_string();
            assert_eq!(<$type>::parse(&written).as_ref(), Ok(&value), "{written:?}");
        }
    };
}

fuzz_target!(|text: &str| {
    survives_a_round!(Domain, text);
    survives_a_round!(Host, text);
    survives_a_round!(LocalPart, text);
    survives_a_round!(Address, text);
    survives_a_round!(ReversePath, text);
    survives_a_round!(ForwardPath, text);
});
