//! Spans of time as Kubernetes' tools write them: `30s`, `1m30s`, `250ms`.

use std::time::Duration;

/// Each unit with its milliseconds; those that begin like another come first.
const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

/// The span that a text says.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let milliseconds = milliseconds(text).filter(|milliseconds| *milliseconds > 0);
    milliseconds.map(Duration::from_millis).ok_or_else(|| {
        "write whole numbers with units (`ms`, `s`, `m`, `h`), as in `30s` or `1m30s`; zero is none"
            .to_owned()
    })
}

fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let (unit, milliseconds) = UNITS.into_iter().find(|(unit, _)| after.starts_with(unit))?;
        sum = number.parse::<u64>().ok()?.checked_mul(milliseconds)?.checked_add(sum)?;
        rest = after.strip_prefix(unit)?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_are_added_up() {
        for (text, milliseconds) in
            [("250ms", 250), ("30s", 30_000), ("1m30s", 90_000), ("2h", 7_200_000), ("1m5ms", 60_005)]
        {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "30", "s", "1.5s", "-1s", "1d", "1s ", "0s", "99999999999999999999s", "9999999999999999h"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
