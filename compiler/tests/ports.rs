//! Rules between the ports of one policy (L2, L15, R8, R9).

mod support;

use support::headlines;

/// A policy with these frontend and backend ports, on lines 11 and 15.
fn ports(frontend: &str, backend: &str) -> Vec<String> {
    headlines(&format!(
        "apiVersion: cilium.io/v2
kind: CiliumLocalRedirectPolicy
metadata:
  name: p
  namespace: default
  annotations: {{lrpc.dev/backend-address: 169.254.1.1}}
spec:
  redirectFrontend:
    addressMatcher:
      ip: 169.254.1.1
      toPorts: [{frontend}]
  redirectBackend:
    localEndpointSelector:
      matchLabels: {{app: a}}
    toPorts: [{backend}]
"
    ))
}

const HTTP: &str = "{port: '1', protocol: TCP, name: http}";
const DNS: &str = "{port: '53', protocol: UDP, name: dns}";
const HTTP_BACKEND: &str = "{port: '80', protocol: TCP, name: http}";
const DNS_BACKEND: &str = "{port: '54', protocol: UDP, name: dns}";

fn two(a: &str, b: &str) -> String {
    format!("{a}, {b}")
}

#[test]
fn named_ports_that_fit_are_right() {
    let none: [&str; 0] = [];
    assert_eq!(ports(&two(HTTP, DNS), &two(DNS_BACKEND, HTTP_BACKEND)), none);
    assert_eq!(ports("{port: '53', protocol: UDP}", "{port: '5353', protocol: UDP}"), none);
    let dns_tcp = "{port: '53', protocol: TCP, name: dns}";
    assert_eq!(ports(&two(DNS, dns_tcp), &two(DNS_BACKEND, "{port: '54', protocol: TCP, name: dns}")), none);
}

#[test]
fn names_are_needed_as_soon_as_one_side_has_several_ports() {
    assert_eq!(
        ports(&two(HTTP, "{port: '53', protocol: UDP}"), &two(HTTP_BACKEND, DNS_BACKEND)),
        [
            "11:58 `spec.redirectFrontend.addressMatcher.toPorts[1].name` is missing where several ports are listed: give it the name of the port on the other side that it belongs to"
        ]
    );
    assert_eq!(
        ports(&two(HTTP, "{port: '2', protocol: TCP, name: http}"), "{port: '80', protocol: TCP}"),
        [
            "15:16 `spec.redirectBackend.toPorts[0].name` is missing where several ports are listed: give it the name of the port on the other side that it belongs to"
        ]
    );
}

#[test]
fn a_bad_name_is_an_error_only_where_names_are_needed() {
    let bad = "{port: '53', protocol: UDP, name: dns_udp}";
    assert_eq!(
        ports(bad, "{port: '54', protocol: UDP}"),
        [
            "11:51 the name `dns_udp` of an only port is ignored: leave it out, or use 1 to 15 letters, digits and single `-` between them, with at least one letter"
        ]
    );
    assert_eq!(
        ports(&two(HTTP, bad), &two(HTTP_BACKEND, DNS_BACKEND)),
        [
            "11:91 `dns_udp` cannot be the name of a port: use 1 to 15 letters, digits and single `-` between them, with at least one letter"
        ]
    );
    assert_eq!(
        ports(&two(HTTP, "{port: '53', protocol: UDP, name: DNS}"), &two(HTTP_BACKEND, DNS_BACKEND)),
        ["11:91 the port name `DNS` is read as `dns`: write `dns`"]
    );
}

#[test]
fn a_frontend_name_needs_a_backend_port_with_its_protocol() {
    let other = "{port: '53', protocol: UDP, name: dsn}";
    assert_eq!(
        ports(&two(HTTP, other), &two(HTTP_BACKEND, DNS_BACKEND)),
        ["11:91 no backend port is named `dsn` with `UDP`: did you mean `dns`?"]
    );
    let short = "{port: '54', protocol: UDP, name: a}";
    assert_eq!(
        ports(&two(HTTP, short), &two(HTTP_BACKEND, "{port: '55', protocol: UDP, name: b}")),
        [
            "11:91 no backend port is named `a` with `UDP`: add a backend port of this name and protocol, or use the name of one: `b`"
        ]
    );
    let tcp = "{port: '54', protocol: TCP, name: dns}";
    assert_eq!(
        ports(&two(HTTP, DNS), &two(HTTP_BACKEND, tcp)),
        [
            "11:91 no backend port is named `dns` with `UDP`: add a backend port with `name: dns` and `protocol: UDP`"
        ]
    );
}

#[test]
fn doubles_are_found_once() {
    assert_eq!(
        ports(&two(HTTP, "{port: '1', protocol: TCP, name: http}"), HTTP_BACKEND),
        ["11:64 the port `1/TCP` is listed twice: remove one of the two"]
    );
    // Under two names where names count, two lines for one backend port are two uses of it.
    assert_eq!(
        ports(
            &two(HTTP, "{port: '2', protocol: TCP, name: web}"),
            &two(HTTP_BACKEND, "{port: '80', protocol: TCP, name: web}")
        )
        .len(),
        0
    );
    assert_eq!(
        ports(
            &two(HTTP, "{port: '2', protocol: TCP, name: http}"),
            &two(HTTP_BACKEND, "{port: '81', protocol: TCP, name: http}")
        ),
        ["15:90 the name `http` stands for two `TCP` ports: give each backend port a name of its own"]
    );
}

#[test]
fn a_single_port_is_served_by_the_first_backend_port() {
    assert_eq!(
        ports(HTTP, &two(HTTP_BACKEND, DNS_BACKEND)),
        [
            "15:57 only the first backend port serves a single frontend port: remove the other backend ports, or list as many frontend ports"
        ]
    );
    assert_eq!(
        ports(HTTP, "{port: '80', protocol: UDP}"),
        ["15:38 a `TCP` frontend cannot be served by a `UDP` port: let the two protocols be the same"]
    );
}

#[test]
fn a_backend_that_is_the_frontend_is_found_by_port_and_protocol() {
    assert_eq!(
        ports(HTTP, "{port: '1', protocol: TCP}"),
        [
            "6:43 the backend `169.254.1.1:1/TCP` is the frontend itself: let the agent listen on another address or port"
        ]
    );
    assert_eq!(ports(&two(HTTP, DNS), &two(HTTP_BACKEND, "{port: '1', protocol: UDP, name: dns}")).len(), 0);
}

/// Two names for one backend port, and which of them is wrong where one says so.
#[test]
fn one_backend_port_has_one_name() {
    let backend = |first: &str, second: &str| {
        let text = format!(
            "apiVersion: cilium.io/v2\nkind: CiliumLocalRedirectPolicy\nmetadata: {{name: a, namespace: b}}\nspec:\n  \
             redirectFrontend:\n    serviceMatcher: {{serviceName: s, namespace: b}}\n  redirectBackend:\n    \
             localEndpointSelector: {{matchLabels: {{app: x}}}}\n    toPorts:\n    - {{port: \"53\", {first}}}\n    \
             - {{port: \"53\", {second}}}\n"
        );
        headlines(&text).join("\n")
    };
    let (dns, dns_tcp) = ("name: dns, protocol: UDP", "name: dns-tcp, protocol: UDP");
    let wrong = "backend port `dns-tcp` is UDP, as `dns` is, and its name says TCP: write `protocol: TCP` for \
                 `dns-tcp`; as it is, TCP to a Service port of that name is not redirected";
    assert_eq!(backend(dns, dns_tcp), format!("11:45 {wrong}"));
    assert_eq!(backend(dns_tcp, dns), format!("10:45 {wrong}"), "the line with the slip");
    assert_eq!(backend(dns, "name: dns-tcp, protocol: TCP"), "");
    assert_eq!(backend("name: tcp, protocol: TCP", "name: udp, protocol: UDP"), "");
    assert!(
        backend(dns, "name: alt, protocol: UDP")
            .starts_with("11:26 backend ports `dns` and `alt` are one port")
    );
}
