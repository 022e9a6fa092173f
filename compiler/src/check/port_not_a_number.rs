//! A port is written in decimal digits alone; names have a field of their own.

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::names::is_port_name;
use crate::source::{Source, Span};

pub(crate) const PAGE: Page = page!("port-not-a-number", Error, "a port is not a decimal number");

pub(crate) fn report(source: &Source, span: Span, port: &str) -> Diagnostic {
    let help = match number_in(port) {
        Some(number) => format!("write `\"{number}\"`"),
        None if is_port_name(&port.to_ascii_lowercase()) => {
            "write the number here; a name goes into `name` beside it".to_owned()
        }
        None => "write one number from 1 to 65535 in decimal digits".to_owned(),
    };
    PAGE.report(format!("{} is not a port", shown(port))).at(source, span, "not a decimal number").help(help)
}

fn number_in(port: &str) -> Option<u16> {
    let text = port.trim().trim_start_matches('+').to_ascii_lowercase();
    match text.get(..2) {
        Some("0x") => u16::from_str_radix(text.get(2..)?, 16).ok(),
        Some("0o") => u16::from_str_radix(text.get(2..)?, 8).ok(),
        Some("0b") => u16::from_str_radix(text.get(2..)?, 2).ok(),
        _ => text.split_once('/').map_or(text.as_str(), |(port, _)| port).parse().ok(),
    }
    .filter(|number| *number > 0)
}
