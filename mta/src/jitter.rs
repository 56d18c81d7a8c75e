//! Randomness where it only spreads load.

/// A number below `limit`, which is not 0.
pub(crate) fn below(limit: usize) -> usize {
    (fraction() * limit as f64) as usize % limit
}

/// A number from 0 up to 1. Without randomness it is always the middle: nothing that uses it depends on it.
pub(crate) fn fraction() -> f64 {
    let mut octets = [0; 4];
    match aws_lc_rs::rand::fill(&mut octets) {
        Ok(()) => f64::from(u32::from_ne_bytes(octets)) / (f64::from(u32::MAX) + 1.0),
        Err(_) => 0.5,
    }
}
