//! Placeholders that nobody has filled in yet: a template is read as a manifest, and what is wrong with it is
//! that it has not been rendered.

/// What to do about a template, wherever it leads to a mistake.
pub(crate) const REMEDY: &str = "this looks like a template: check what it renders to, as in `helm template CHART | lrpc check -` or \
     `envsubst <FILE | lrpc check -`";

/// What stands around a placeholder's name, and whether only a name may stand inside: Helm, Jinja, Go and
/// mustache; shell, Kustomize and Argo CD; ERB and EJS; what `sed` and build tools fill in.
const BRACKETS: [(&str, &str, bool); 13] = [
    ("{{", "}}", false),
    ("{%", "%}", false),
    ("${", "}", false),
    ("$(", ")", false),
    ("$[", "]", false),
    ("<%", "%>", false),
    ("#{", "}", false),
    ("((", "))", false),
    ("[[", "]]", true),
    ("%(", ")s", true),
    ("%", "%", true),
    ("@", "@", true),
    ("__", "__", true),
];

/// Whether a placeholder stands in a text.
pub(crate) fn is_in(text: &str) -> bool {
    let bracketed = |(open, close, is_strict): &(&str, &str, bool)| {
        let mut rest = text;
        while let Some((_, behind)) = rest.split_once(open) {
            let inside = behind.split_once(close).map(|(inside, _)| inside.trim());
            if inside.is_some_and(|inside| !inside.is_empty() && (!is_strict || is_name(inside))) {
                return true;
            }
            rest = behind;
        }
        false
    };
    BRACKETS.iter().any(bracketed) || has_variable(text)
}

/// `$NAME`, in capitals as variables of an environment are written.
fn has_variable(text: &str) -> bool {
    let is_capital = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'0'..=b'9' | b'_');
    text.split('$').skip(1).any(|rest| {
        rest.starts_with(|first: char| first.is_ascii_uppercase())
            && rest.bytes().take_while(is_capital).count() > 1
    })
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_syntax_is_known() {
        for text in [
            "{{ .Values.ip }}",
            "{{- include \"x\" . }}",
            "{% if x %}",
            "${PORT}",
            "x-${PORT:-80}",
            "$(PORT)",
            "$PORT",
            "$[ variables.port ]",
            "<%= port %>",
            "<% if x %>",
            "#{PORT}#",
            "((port))",
            "[[port]]",
            "%(port)s",
            "%PORT%",
            "@PORT@",
            "__PORT__",
        ] {
            assert!(is_in(text), "{text}");
            assert!(is_in(&format!("\"a{text}\"")), "{text}");
        }
    }

    #[test]
    fn plain_text_is_none() {
        for text in [
            "",
            "80",
            "a@b",
            "snake__case",
            "{a: {b: c}}",
            "[[53, 80]]",
            "100%",
            "$",
            "$5",
            "50% of 7%",
            "a}}",
        ] {
            assert!(!is_in(text), "{text}");
        }
    }
}
