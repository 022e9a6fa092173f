//! The syntaxes of Kubernetes names.

/// A DNS-1123 label: a namespace, a Service.
pub fn is_dns_label(text: &str) -> bool {
    text.len() <= 63 && is_dns_part(text)
}

/// A DNS-1123 subdomain: the name of a policy.
pub fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_part)
}

fn is_dns_part(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// An IANA service name in lower case: 1 to 15 letters, digits and single inner hyphens, with a letter.
pub fn is_port_name(text: &str) -> bool {
    text.len() <= 15
        && is_dns_part(text)
        && !text.contains("--")
        && text.contains(|character: char| character.is_ascii_lowercase())
}

/// A label's value: empty, or at most 63 letters, digits, `-`, `_`, `.` with a letter or digit at each end.
pub fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_label_name(text)
}

/// A label's key: a name as for values, after an optional DNS subdomain and `/`.
pub fn is_label_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_subdomain(prefix) && is_label_name(name),
        None => is_label_name(text),
    }
}

fn is_label_name(text: &str) -> bool {
    let is_end = |byte: &u8| byte.is_ascii_alphanumeric();
    let bytes = text.as_bytes();
    text.len() <= 63
        && bytes.first().is_some_and(is_end)
        && bytes.last().is_some_and(is_end)
        && bytes.iter().all(|byte| is_end(byte) || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_names_are_those_of_iana() {
        for good in ["dns", "dns-tcp", "h2", "a", "abcdefghijklmno"] {
            assert!(is_port_name(good), "{good}");
        }
        for bad in ["", "53", "dns_tcp", "-dns", "dns-", "a--b", "abcdefghijklmnop", "1 foo!", "DNS"] {
            assert!(!is_port_name(bad), "{bad}");
        }
    }

    #[test]
    fn labels_have_their_syntax() {
        assert!(["app", "k8s-app", "app.kubernetes.io/name", "A_b.c"].iter().all(|key| is_label_key(key)));
        assert!(!["", "a/b/c", "/a", "a/", "-a", "a b", "k8s:app"].iter().any(|key| is_label_key(key)));
        assert!(is_label_value("") && is_label_value("v1.2_x") && !is_label_value(&"x".repeat(64)));
    }

    #[test]
    fn names_of_objects_are_dns_names() {
        assert!(is_dns_subdomain("a.b-c.d") && !is_dns_subdomain("A") && !is_dns_subdomain("a..b"));
        assert!(is_dns_label("kube-dns") && !is_dns_label("kube_dns") && !is_dns_label(&"x".repeat(64)));
    }
}
