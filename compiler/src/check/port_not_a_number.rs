//! A port is written in decimal digits alone; names have a field of their own.

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::names::is_port_name;
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("port-not-a-number", Error, since "0.1.0", "a port is not a decimal number");

/// The range that a port lies in, as a remedy.
pub(super) const RANGE: &str = "ports go from 1 to 65535";

pub(crate) fn report(source: &Source, span: Span, port: &str) -> Diagnostic {
    let message = match port {
        "" => "a port is empty".to_owned(),
        _ => format!("{} is not a port", shown(port)),
    };
    PAGE.report(message).at(source, span, "not a decimal number").help(help(port))
}

/// What to write instead of a text that is no port, or is not in quotes.
pub(super) fn help(port: &str) -> String {
    let readings = readings(port);
    let mut ports = readings.iter().filter(|number| (1..=65535).contains(*number));
    match (ports.next(), ports.next()) {
        (Some(decimal), Some(octal)) => octal_or(*decimal, *octal),
        (Some(port), None) => format!("write `\"{port}\"`"),
        (None, _) if !readings.is_empty() => RANGE.to_owned(),
        (None, _) if is_port_name(&port.to_ascii_lowercase()) => {
            "write the number here; a name goes into `name` beside it".to_owned()
        }
        (None, _) => "write one number from 1 to 65535 in decimal digits".to_owned(),
    }
}

/// Whether a text is a port as policies write it.
pub(super) fn is_port(text: &str) -> bool {
    text.starts_with(|first: char| matches!(first, '1'..='9')) && text.parse::<u16>().is_ok()
}

/// The remedy for a number with two readings.
pub(super) fn octal_or(decimal: u64, octal: u64) -> String {
    format!("write `\"{decimal}\"`, or `\"{octal}\"` if the octal reading is meant")
}

/// The whole numbers that a text can be read as; behind a leading zero the decimal one, then the octal one.
/// A negative number counts as 0, one too large for any purpose as the largest.
pub(super) fn readings(text: &str) -> Vec<u64> {
    let text = text.trim().replace('_', "").to_ascii_lowercase();
    let text = text.split_once('/').map_or(text.as_str(), |(port, _)| port);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return Vec::new();
    }
    if text.starts_with('-') {
        return vec![0];
    }
    let radix = |radix| u64::from_str_radix(digits.get(2..).unwrap_or_default(), radix).ok();
    let decimal = match digits.get(..2) {
        Some("0x") => return radix(16).into_iter().collect(),
        Some("0o") => return radix(8).into_iter().collect(),
        Some("0b") => return radix(2).into_iter().collect(),
        _ => digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().unwrap_or(u64::MAX)),
    };
    let Some(decimal) = decimal else { return whole(digits).into_iter().collect() };
    let octal =
        u64::from_str_radix(digits, 8).ok().filter(|octal| digits.starts_with('0') && *octal != decimal);
    [decimal].into_iter().chain(octal).collect()
}

/// The number in `1e3` or `80.0`.
fn whole(text: &str) -> Option<u64> {
    let number = text.parse::<f64>().ok()?.min(65536.0);
    if number.fract() == 0.0 { number.to_string().parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_every_way_that_a_reader_may_mean() {
        for (text, expected) in [
            ("80", &[80][..]),
            ("+80", &[80]),
            (" 80 ", &[80]),
            ("80/tcp", &[80]),
            ("8_080", &[8080]),
            ("010", &[10, 8]),
            ("07", &[7]),
            ("08", &[8]),
            ("0x50", &[80]),
            ("0o120", &[80]),
            ("0b101", &[5]),
            ("1e3", &[1000]),
            ("80.0", &[80]),
            ("-80", &[0]),
            ("1e9", &[65536]),
            ("99999999999999999999", &[u64::MAX]),
            ("80.5", &[]),
            ("0x", &[]),
            ("http", &[]),
            ("inf", &[]),
            ("", &[]),
        ] {
            assert_eq!(readings(text), expected, "{text}");
        }
    }
}
