//! SASL exchanges: lines of a client, to whatever end.

#![no_main]

use accounts::sasl::{Mechanism, Step};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    for mechanism in Mechanism::ALL {
        let mut lines = octets.split(|octet| *octet == b'\n');
        let mut step = mechanism.start(lines.next().filter(|line| !line.is_empty()));
        while let Step::Challenge(_, exchange) = step {
            let Some(line) = lines.next() else { break };
            step = exchange.answer(line);
        }
    }
});
