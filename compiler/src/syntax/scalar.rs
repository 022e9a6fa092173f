//! Which type YAML gives a scalar, as the parser that kubectl uses sees it (YAML 1.1's words included).

use std::borrow::Cow;

/// A scalar after escapes.
#[derive(Clone, Debug)]
pub(crate) struct Scalar<'s> {
    pub(crate) text: Cow<'s, str>,
    /// Quoted, in block form or tagged `!!str`: a string whatever it looks like.
    pub(crate) is_string: bool,
}

/// The type of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Null,
    Bool(bool),
    Integer,
    Float,
    String,
}

impl Type {
    /// The type with its article, as messages name it.
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Integer => "an integer",
            Self::Float => "a number",
            Self::String => "a string",
        }
    }
}

impl Scalar<'_> {
    pub(crate) fn type_of(&self) -> Type {
        if self.is_string {
            return Type::String;
        }
        let text = &*self.text;
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Type::Null,
            "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "y" | "Y" | "on" | "On" | "ON" => {
                return Type::Bool(true);
            }
            "false" | "False" | "FALSE" | "no" | "No" | "NO" | "n" | "N" | "off" | "Off" | "OFF" => {
                return Type::Bool(false);
            }
            _ => {}
        }
        if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
            return Type::String;
        }
        if is_integer(text) {
            Type::Integer
        } else if is_float(text) {
            Type::Float
        } else {
            Type::String
        }
    }
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (digits, radix) = match digits.get(..2) {
        Some("0x" | "0X") => (&digits[2..], 16),
        Some("0o" | "0O") => (&digits[2..], 8),
        Some("0b" | "0B") => (&digits[2..], 2),
        _ => (digits, 10),
    };
    let mut characters = digits.chars().filter(|character| *character != '_').peekable();
    characters.peek().is_some() && characters.all(|character| character.is_digit(radix))
}

fn is_float(text: &str) -> bool {
    let magnitude = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(text, ".nan" | ".NaN" | ".NAN") || matches!(magnitude, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let is_numeric =
        |character: char| character.is_ascii_digit() || matches!(character, '.' | 'e' | 'E' | '+' | '-');
    magnitude.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && magnitude.len() < 64
        && magnitude.chars().all(is_numeric)
        && magnitude.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Type {
        Scalar { text: text.into(), is_string: false }.type_of()
    }

    #[test]
    fn plain_scalars_have_the_types_that_kubectl_sees() {
        for text in ["80", "010", "0x1f", "0o17", "-1", "+8", "1_000", "0b11"] {
            assert_eq!(plain(text), Type::Integer, "{text}");
        }
        for text in ["1.5", "1e3", "12e0345", ".5", "-.inf", ".nan", "10."] {
            assert_eq!(plain(text), Type::Float, "{text}");
        }
        for text in
            ["169.254.169.254", "::1", "fd00::1", "TCP", "1.2.3", "-", "+", "0x", "2001-01-01", ".", "e3"]
        {
            assert_eq!(plain(text), Type::String, "{text}");
        }
        for text in ["", "~", "null"] {
            assert_eq!(plain(text), Type::Null, "{text}");
        }
        for (yes, no) in [("true", "false"), ("yes", "no"), ("y", "n"), ("Y", "N"), ("on", "off")] {
            assert_eq!((plain(yes), plain(no)), (Type::Bool(true), Type::Bool(false)), "{yes}, {no}");
        }
    }

    #[test]
    fn a_quoted_scalar_is_a_string() {
        assert_eq!(Scalar { text: "80".into(), is_string: true }.type_of(), Type::String);
    }
}
