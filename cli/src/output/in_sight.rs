//! JSON with the characters spelt out that a reader would not see; outside of strings it has none but line ends.

use std::borrow::Cow;
use std::io::{self, Write};

use lrpc_schema::diagnostic::is_hidden;

/// The same JSON, in sight.
pub(crate) fn in_sight(json: &str) -> Cow<'_, str> {
    let is_spelt = |character: char| is_hidden(character) && character != '\n';
    // Most output is plain ASCII, which is told at several bytes a cycle.
    let is_plain = |byte: &u8| matches!(byte, b'\n' | b' '..=b'~');
    if json.as_bytes().iter().all(is_plain) || !json.contains(is_spelt) {
        return json.into();
    }
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if is_spelt(character) {
            let mut units = [0; 2];
            out.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(character);
        }
    }
    out.into()
}

/// Writes JSON in sight. Whoever writes JSON writes whole characters: `serde_json` writes a `str` at a time.
pub(super) struct InSight<W>(pub(super) W);

impl<W: Write> Write for InSight<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(bytes) {
            Ok(json) => self.0.write_all(in_sight(json).as_bytes())?,
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_the_same_value_in_sight() {
        let value = "a\u{202e}\u{9b}\u{e0041}\u{1b}\n\"é";
        let mut json = InSight(Vec::new());
        serde_json::to_writer_pretty(&mut json, &[value]).unwrap();
        let json = String::from_utf8(json.0).unwrap();
        assert!(json.contains("\\u202e\\u009b\\udb40\\udc41\\u001b\\n"), "{json}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&json).unwrap(), [value]);
    }
}
