//! Input for measurements: policies of 0.65 kB with two named ports and a Service of their own, and sets of
//! one-port address policies with the pod that serves them all. 100 to a file.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use testkit::Range;

use crate::repository::{Result, write};

/// Policies in one file.
const PER_FILE: usize = 100;

/// Writes `count` policies below `folder` and gives their bytes.
pub(crate) fn policies(folder: &Path, count: usize) -> Result<usize> {
    files(folder, count, policy)
}

/// Writes what `policy` makes of each number, and gives the bytes.
fn files(folder: &Path, count: usize, policy: impl Fn(&mut String, usize)) -> Result<usize> {
    let mut bytes = 0;
    for (file, first) in (0..count).step_by(PER_FILE).enumerate() {
        let mut text = String::new();
        for number in first..count.min(first + PER_FILE) {
            policy(&mut text, number);
        }
        write(&folder.join(format!("policies-{file:05}.yaml")), text.as_bytes())?;
        bytes += text.len();
    }
    Ok(bytes)
}

fn policy(text: &mut String, number: usize) {
    let namespace = number / PER_FILE % 100;
    // Writing to a `String` cannot fail.
    let _ = write!(
        text,
        r#"---
apiVersion: cilium.io/v2
kind: CiliumLocalRedirectPolicy
metadata:
  name: redirect-{number:06}
  namespace: team-{namespace:03}
  labels:
    app.kubernetes.io/part-of: node-local-services
spec:
  redirectFrontend:
    serviceMatcher:
      serviceName: service-{number:06}
      namespace: team-{namespace:03}
      toPorts:
        - port: "{http}"
          protocol: TCP
          name: http
        - port: "{dns}"
          protocol: UDP
          name: dns
  redirectBackend:
    localEndpointSelector:
      matchLabels:
        app: proxy-{number:06}
    toPorts:
      - port: "8080"
        protocol: TCP
        name: http
      - port: "5353"
        protocol: UDP
        name: dns
"#,
        http = 1000 + number % 50_000,
        dns = 2000 + number % 50_000,
    );
}

/// The port of every frontend of [`one_port_policies`].
pub(crate) const FRONTEND_PORT: u16 = 80;
/// The address of the pod that serves them.
pub(crate) const POD_ADDRESS: &str = "10.244.1.10";
/// Its other address.
pub(crate) const POD_ADDRESS_6: &str = "fd00:244::10";

/// One-port policies that differ from those of another set in the backend ports of some policies.
#[derive(Clone, Copy)]
pub(crate) struct Set {
    pub(crate) name: &'static str,
    /// The backend port of the first policy.
    first: u16,
    /// That of every other.
    others: u16,
}

impl Set {
    pub(crate) const OLD: Self = Self { name: "old", first: 8080, others: 8080 };
    /// Every policy differs from [`OLD`](Self::OLD).
    pub(crate) const NEW: Self = Self { name: "new", first: 8081, others: 8081 };
    /// One policy differs from [`OLD`](Self::OLD).
    pub(crate) const CHANGED: Self = Self { name: "changed", first: 8081, others: 8080 };
    pub(crate) const ALL: [Self; 3] = [Self::OLD, Self::NEW, Self::CHANGED];

    pub(crate) fn backend_port(self, number: usize) -> u16 {
        if number == 0 { self.first } else { self.others }
    }
}

/// Writes `count` policies with an address and one port each below `folder`.
pub(crate) fn one_port_policies(folder: &Path, count: usize, set: Set) -> Result<usize> {
    files(folder, count, |text, number| {
        one_port_policy(text, number, frontend_address(number).into(), "TCP", set.backend_port(number));
    })
}

/// Writes a policy for each address of a range, with one backend port.
pub(crate) fn policies_of(folder: &Path, range: Range, protocol: &str, backend_port: u16) -> Result<usize> {
    files(folder, range.span as usize, |text, number| {
        let address = range.address(u32::try_from(number).unwrap_or_default());
        one_port_policy(text, number, address.ip(), protocol, backend_port);
    })
}

fn one_port_policy(text: &mut String, number: usize, address: IpAddr, protocol: &str, backend_port: u16) {
    // Writing to a `String` cannot fail.
    let _ = write!(
        text,
        r#"---
apiVersion: cilium.io/v2
kind: CiliumLocalRedirectPolicy
metadata:
  name: redirect-{number:06}
  namespace: default
spec:
  redirectFrontend:
    addressMatcher:
      ip: "{address}"
      toPorts: [{{port: "{FRONTEND_PORT}", protocol: {protocol}}}]
  redirectBackend:
    localEndpointSelector: {{matchLabels: {{app: proxy}}}}
    toPorts: [{{port: "{backend_port}", protocol: {protocol}}}]
"#,
    );
}

/// The address of a frontend, from 172.16.0.0 on.
pub(crate) fn frontend_address(number: usize) -> Ipv4Addr {
    let first = u32::from(Ipv4Addr::new(172, 16, 0, 0));
    Ipv4Addr::from(first.saturating_add(u32::try_from(number).unwrap_or(u32::MAX)))
}

/// An inventory of one node and the pod that serves every frontend there.
pub(crate) fn one_pod(node: &str) -> String {
    format!(
        r#"apiVersion: v1
kind: Node
metadata: {{name: {node}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: proxy, namespace: default, uid: 11111111-2222-3333-4444-555555555555, labels: {{app: proxy}}}}
spec:
  nodeName: {node}
  containers: [{{name: proxy, ports: [{{containerPort: 8080}}, {{containerPort: 8081}}, {{containerPort: 8080, protocol: UDP}}]}}]
status:
  phase: Running
  podIP: {POD_ADDRESS}
  podIPs: [{{ip: {POD_ADDRESS}}}, {{ip: "{POD_ADDRESS_6}"}}]
  conditions: [{{type: Ready, status: "True"}}]
"#
    )
}

/// A table of nft that sends every frontend of a range to one backend.
pub(crate) fn destination_nat(frontends: Range, protocol: &str, backend: SocketAddr) -> String {
    let (family, kind) = if backend.is_ipv4() { ("ip", "ipv4_addr") } else { ("ip6", "ipv6_addr") };
    let (protocol, port, pod, pod_port) =
        (protocol.to_lowercase(), frontends.first.port(), backend.ip(), backend.port());
    let mut text = format!(
        "table {family} bench {{\n map frontends {{\n  type {kind} . inet_proto . inet_service : {kind} . \
         inet_service\n  elements = {{\n"
    );
    for offset in 0..frontends.span {
        let frontend = frontends.address(offset).ip();
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "   {frontend} . {protocol} . {port} : {pod} . {pod_port},");
    }
    text + &format!(
        "  }}\n }}\n chain output {{\n  type nat hook output priority -100\n  \
         dnat {family} to {family} daddr . meta l4proto . th dport map @frontends\n }}\n}}\n"
    )
}
