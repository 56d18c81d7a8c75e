//! A number of octets as the operator writes it.

/// Parses `size = 1*DIGIT [ "K" / "M" / "G" ]`, in powers of 1024; a `B` or `iB` after the letter is allowed. `None` if
/// it is something else, or exceeds 64 bits.
pub(super) fn read(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim().to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn sizes_are_read_in_powers_of_1024_or_not_at_all() {
        for (text, octets) in [
            ("1000", Some(1000)),
            ("50M", Some(50 << 20)),
            ("50 MiB", Some(50 << 20)),
            ("1g", Some(1 << 30)),
            ("", None),
            ("M", None),
            ("-1M", None),
            ("5.5M", None),
            ("50 apples", None),
            ("99999999999G", None),
        ] {
            assert_eq!(read(text), octets, "{text:?}");
        }
    }
}
