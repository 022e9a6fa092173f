//! Placeholders that nobody has filled in yet: a template is read as a manifest, and what is wrong with it is
//! that it has not been rendered.

/// What to do about a template, wherever it leads to a mistake.
pub(crate) const REMEDY: &str = "this looks like a template: check what it renders to, as in `helm template CHART | lrpc check -` or \
     `envsubst <FILE | lrpc check -`";

/// What stands around a placeholder's name, and whether only a name may stand inside: Helm, Jinja, Go and
/// mustache; shell, Kustomize and Argo CD; ERB and EJS; what `sed` and build tools fill in.
const BRACKETS: [(&str, &str, bool); 14] = [
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
    ("%{", "}", false),
    ("%", "%", true),
    ("@", "@", true),
    ("__", "__", true),
];

/// The same, where what stands between them is a placeholder only in a value that is wrong without it, since it
/// means something in YAML or in prose: what people write by hand and Argo CD's Vault plugin; other build tools.
const BRACKETS_OF_WRONG: [(&str, &str, bool); 4] =
    [("<", ">", false), ("{", "}", true), ("$", "$", true), ("ENC[", "]", false)];

/// What stands in angle brackets where a tool had nothing to print.
const NOTHINGS: [&str; 5] = ["none", "nil", "unset", "unknown", "no value"];

/// Words that ask for a value.
const WORDS: [&str; 5] = ["CHANGEME", "CHANGE_ME", "REPLACEME", "REPLACE_ME", "PLACEHOLDER"];
const BEGINNINGS: [&str; 2] = ["REPLACE_WITH_", "YOUR_"];

/// Whether a placeholder stands in a text.
pub(crate) fn is_in(text: &str) -> bool {
    BRACKETS.iter().any(|brackets| is_between(text, brackets)) || has_variable(text)
}

/// Whether a placeholder stands in a value that cannot be what was meant.
pub(crate) fn is_in_wrong(value: &str) -> bool {
    let plain = value.trim_matches(['"', '\'']);
    is_in(value)
        || BRACKETS_OF_WRONG.iter().any(|brackets @ (open, close, _)| {
            (plain.starts_with(open) || plain.ends_with(close)) && is_between(plain, brackets)
        })
        || plain.starts_with("ref+") && plain.contains("://")
        || WORDS.contains(&plain)
        || BEGINNINGS.iter().any(|beginning| plain.starts_with(beginning))
}

/// Whether a placeholder is all that stands behind a key, or a value's place: what YAML reads as a comment is
/// ytt's, or was to be replaced before.
pub(crate) fn is_behind(rest: &str) -> bool {
    let rest = rest.lines().next().unwrap_or_default();
    let comment = rest.trim_start_matches(['"', '\'']).trim_start().trim_start_matches(':').trim_start();
    comment.starts_with("#@ ") || comment.starts_with("#{")
}

/// Whether a text is a placeholder that may turn out to be `wanted`: what stands around it is how that begins and
/// ends.
pub(crate) fn may_become(text: &str, wanted: &str) -> bool {
    let is_mark = |character: char| !character.is_ascii_alphanumeric();
    let (Some(first), Some(last)) = (text.find(is_mark), text.rfind(is_mark)) else { return false };
    let ends = text.get(..first).zip(text.get(last..).map(|end| end.trim_start_matches(is_mark)));
    is_in(text) && ends.is_some_and(|(start, end)| wanted.starts_with(start) && wanted.ends_with(end))
}

fn is_between(text: &str, (open, close, is_strict): &(&str, &str, bool)) -> bool {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once(open) {
        let inside = behind.split_once(close).map(|(inside, _)| inside.trim());
        let is_filled = |inside: &str| !inside.is_empty() && !NOTHINGS.contains(&inside);
        if inside.is_some_and(|inside| is_filled(inside) && (!is_strict || is_name(inside))) {
            return true;
        }
        rest = behind;
    }
    false
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
            "%{port}",
        ] {
            assert!(is_in(text), "{text}");
            assert!(is_in(&format!("\"a{text}\"")), "{text}");
        }
    }

    #[test]
    fn a_value_that_is_wrong_without_it_tells_more() {
        for text in [
            "<NAMESPACE>",
            "<your ip>",
            "<<ip>>",
            "<path:secret/data/x#v>",
            "$ip$",
            "{ip}",
            "ENC[AES256_GCM,data:x]",
            "\"ref+vault://x#/y\"",
            "CHANGEME",
            "'REPLACE_ME'",
            "YOUR_IP",
            "${IP}",
        ] {
            assert!(is_in_wrong(text), "{text}");
        }
        for text in [
            "<none>",
            "<no value>",
            "<",
            "a<b",
            "{}",
            "{a: b}",
            "$5$",
            "Change",
            "80",
            "xENC",
            "100% <neu>, A",
            "",
        ] {
            assert!(!is_in_wrong(text), "{text}");
        }
        // Each may stand in a manifest that is right.
        for text in ["{app}", "<none>", "CHANGEME", "a <b> c", "$v$"] {
            assert!(!is_in(text), "{text}");
        }
    }

    #[test]
    fn what_yaml_takes_for_a_comment_is_seen() {
        for text in [": #@ data.values.ip\nb: c", ": #{ip}#", "\": #@ x", "  #@ x"] {
            assert!(is_behind(text), "{text}");
        }
        for text in [": # the usual one", ":", ": b #@ x", ":\n  #@ x", ": #@x"] {
            assert!(!is_behind(text), "{text}");
        }
    }

    #[test]
    fn what_stands_around_a_placeholder_says_what_it_cannot_become() {
        for text in ["${KIND}", "{{ .Values.kind }}", "Cilium${X}Policy", "%KIND%", "CiliumLocal{{ .x }}"] {
            assert!(may_become(text, "CiliumLocalRedirectPolicy"), "{text}");
        }
        for text in ["Cilium{{ x }}NetworkPolicy", "ConfigMap${X}", "ConfigMap", "", "Cilium-Policy"] {
            assert!(!may_become(text, "CiliumLocalRedirectPolicy"), "{text}");
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
