use super::*;

#[track_caller]
fn shown(text: &str) -> String {
    match text.parse::<Flow>() {
        Ok(flow) => flow.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_flow_has_a_protocol_a_source_and_a_destination() {
    let flow: Flow = "tcp from default/web-1.x to 169.254.169.254:80".parse().unwrap();
    assert_eq!(flow.source, Source::Pod { namespace: "default".into(), name: "web-1.x".into() });
    assert_eq!(flow.destination.to_string(), "169.254.169.254:80/TCP");

    let flow: Flow = "udp from host to [fd00::1]:53".parse().unwrap();
    assert_eq!(flow.source, Source::Host);
    assert_eq!(flow.destination.to_string(), "[fd00::1]:53/UDP");
}

#[test]
fn what_is_shown_is_what_is_read() {
    for text in [
        "tcp from default/web to 169.254.169.254:65535",
        "udp from host/host to [fd00::1]:53",
        "tcp from host to 10.0.0.1:1",
        "tcp from 10.0.0.1 to 10.0.0.1:1",
        "tcp from fd00::1 to 10.0.0.1:1",
    ] {
        assert_eq!(shown(text), text);
    }
}

#[test]
fn spaces_case_and_brackets_are_forgiven() {
    let plain = "udp from fd00::1 to [fd00::2]:53";
    assert_eq!(shown("  UDP \t from  [fd00::1]\nto [fd00:0::2]:53 "), plain);
}

/// An IPv4-mapped socket is an IPv4 one (L16).
#[test]
fn mapped_addresses_are_ipv4() {
    let text = "tcp from ::ffff:10.0.0.1 to [::ffff:169.254.169.254]:80";
    assert_eq!(shown(text), "tcp from 10.0.0.1 to 169.254.169.254:80");
}

#[test]
fn an_error_says_what_was_expected_where_and_what_is_there() {
    let source = "expected `host`, a pod as `NAMESPACE/NAME`, or an address at character";
    let address = "expected an IPv4 address, or an IPv6 address in brackets at character";
    let port = "expected a port from 1 to 65535 at character";
    for (text, error) in [
        ("", "expected `tcp` or `udp` at character 1, found the end".to_owned()),
        ("sctp from host to 1.2.3.4:80", "expected `tcp` or `udp` at character 1, found `sctp`".into()),
        ("tcpfrom host to 1.2.3.4:80", "expected `tcp` or `udp` at character 1, found `tcpfrom`".into()),
        ("tcp", "expected `from` at character 4, found the end".into()),
        ("tcp form host to 1.2.3.4:80", "expected `from` at character 5, found `form`".into()),
        ("tcp from hosts to 1.2.3.4:80", format!("{source} 10, found `hosts`")),
        ("tcp from web to 1.2.3.4:80", format!("{source} 10, found `web`")),
        ("tcp from a/b/c to 1.2.3.4:80", format!("{source} 10, found `a/b/c`")),
        ("tcp from a/ to 1.2.3.4:80", format!("{source} 10, found `a/`")),
        ("tcp from größe to 1.2.3.4:80", format!("{source} 10, found `größe`")),
        ("tcp from fe80::1%eth0 to 1.2.3.4:80", format!("{source} 10, found `fe80::1%eth0`")),
        ("tcp from host 1.2.3.4:80", "expected `to` at character 15, found `1.2.3.4:80`".into()),
        ("tcp from host to", format!("{address} 17, found the end")),
        ("tcp from host to kube-dns:53", format!("{address} 18, found `kube-dns:53`")),
        ("tcp from host to 1.2.3.400:53", format!("{address} 18, found `1.2.3.400:53`")),
        ("tcp from host to fd00::1:53", format!("{address} 18, found `fd00::1:53`")),
        ("tcp from host to [1.2.3.4]:53", format!("{address} 18, found `[1.2.3.4]:53`")),
        ("tcp from host to 1.2.3.4", "expected `:` and a port at character 25, found the end".into()),
        ("tcp from host to [fd00::1] :80", "expected `:` and a port at character 27, found a space".into()),
        ("tcp from host to 1.2.3.4:", format!("{port} 26, found the end")),
        ("tcp from host to 1.2.3.4:0", format!("{port} 26, found `0`")),
        ("tcp from host to 1.2.3.4:65536", format!("{port} 26, found `65536`")),
        ("tcp from host to 1.2.3.4:http", format!("{port} 26, found `http`")),
        ("tcp from host to 1.2.3.4:80/TCP", format!("{port} 26, found `80/TCP`")),
        ("tcp from host to 1.2.3.4:80 now", "expected nothing more at character 29, found `now`".into()),
        (" größe", "expected `tcp` or `udp` at character 2, found `größe`".into()),
    ] {
        assert_eq!(shown(text), error, "{text}");
    }
}

proptest::proptest! {
    /// Any text is read or refused, and what is read is shown as it is read again.
    #[test]
    fn any_text_is_read_or_refused(text in "(tcp|udp|.)( from| )( host| a/b| [0-9a-f:.\\[\\]]{0,9})( to )?[0-9a-f:.\\[\\]]{0,20}( .*)?") {
        if let Ok(flow) = text.parse::<Flow>() {
            proptest::prop_assert_eq!(flow.to_string().parse::<Flow>(), Ok(flow));
        }
    }
}
