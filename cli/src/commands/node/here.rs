//! Whether this machine is the Node whose rows it is about to load: it has one of the Node's addresses.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv6Addr};

use lrpc_linker::inventory::Node;

use crate::manual::diagnostics::NODE_NOT_HERE;
use crate::report::Report;

/// Says where none of a Node's addresses is this machine's. Nothing where the inventory gives none, or the system
/// does not say which it has.
pub(super) fn check(node: &Node) -> Option<Report> {
    let own = own_addresses()?;
    if node.addresses.is_empty() || node.addresses.iter().any(|address| own.contains(address)) {
        return None;
    }
    let shown: Vec<_> = node.addresses.iter().map(|address| format!("`{address}`")).collect();
    let report = NODE_NOT_HERE.report(format!("this machine has no address of Node `{}`", node.name));
    Some(report.help(format!(
        "the inventory says {}; name this machine's Node with --node, and run in the host's network",
        shown.join(", ")
    )))
}

/// The addresses of this network namespace.
fn own_addresses() -> Option<BTreeSet<IpAddr>> {
    let mut own = v4(&fs::read_to_string("/proc/self/net/fib_trie").ok()?);
    // Without IPv6 there is no such file.
    own.extend(v6(&fs::read_to_string("/proc/self/net/if_inet6").unwrap_or_default()));
    Some(own)
}

/// A route's address stands on a line, `|-- 10.0.0.1`, and below it what it is: `/32 host LOCAL`.
fn v4(trie: &str) -> BTreeSet<IpAddr> {
    let (mut own, mut last) = (BTreeSet::new(), None::<IpAddr>);
    for line in trie.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address.parse().ok();
        } else if line.ends_with("host LOCAL") {
            own.extend(last);
        }
    }
    own
}

/// An address is the first word of a line, in 32 hexadecimal digits.
fn v6(interfaces: &str) -> impl Iterator<Item = IpAddr> {
    let first = interfaces.lines().filter_map(|line| line.split(' ').next());
    first.filter_map(|digits| Some(Ipv6Addr::from(u128::from_str_radix(digits, 16).ok()?).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 127.0.0.0\n        /8 host LOCAL\n     |-- 192.0.2.2\n        \
                    /32 host LOCAL\n     |-- 192.0.2.3\n        /32 link BROADCAST\n";
        let own: Vec<String> = v4(trie).iter().map(ToString::to_string).collect();
        assert_eq!(own, ["127.0.0.0", "192.0.2.2"]);
        let interfaces = "fd000000000000000000000000000002 04 40 00 82     eth0\nnothing\n";
        assert_eq!(v6(interfaces).map(|address| address.to_string()).collect::<Vec<_>>(), ["fd00::2"]);
    }
}
