//! What Cilium redirects to local pods itself, as its pinned service tables say.
//!
//! Its agent pins the tables under `tc/globals` of the node's bpffs. An entry of a Service that a local redirect
//! policy has taken bears a flag. Neither the programs on the hooks nor the other pins tell as much: both are there
//! with the feature off, too.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use super::bpffs::is_on_bpffs;
use super::sys::map::{Kind, Map};
use super::sys::{Access, SysError};
use crate::fs::{Dir, FsError};

/// Where its pins are, below the bpffs.
const PINS: &str = "tc/globals";

/// Its service tables, and how long an address in their keys is.
const TABLES: [(&str, usize); 2] = [("cilium_lb4_services_v2", 4), ("cilium_lb6_services_v2", 16)];

/// The size of a value, where the second byte of flags is in it, and the flag.
const VALUE: u32 = 12;
const FLAGS: usize = 9;
const LOCAL_REDIRECT: u8 = 1;

/// Why its tables say nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    /// They are not made as they are known to be.
    #[error("Cilium's table `{0}` has a shape that this version does not know")]
    Shape(&'static str),
    /// Their directory is not to be trusted.
    #[error(transparent)]
    Directory(#[from] FsError),
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] SysError),
}

/// The frontends that Cilium redirects to local pods on this node; `None` where it has no service tables. They are
/// looked for on the bpffs that an instance's own directory is on.
pub(crate) fn local_redirects(instance: &Path) -> Result<Option<BTreeSet<SocketAddr>>, Unreadable> {
    let mut found = None;
    for above in instance.ancestors().skip(1) {
        let pins = Dir::open(&above.join(PINS))?;
        if let Some(pins) = pins.filter(|pins| is_on_bpffs(pins.path()).unwrap_or(false)) {
            read(&pins, &mut found)?;
        }
    }
    Ok(found)
}

fn read(pins: &Dir, found: &mut Option<BTreeSet<SocketAddr>>) -> Result<(), Unreadable> {
    for (name, address) in TABLES {
        let Some(table) = Map::open(pins, name, Access::Read)? else { continue };
        let shape = table.shape();
        // An address, a port, a number of a backend, a protocol, a scope and two bytes of padding.
        if (shape.kind, shape.key_size as usize, shape.value_size) != (Kind::Hash, address + 8, VALUE) {
            return Err(Unreadable::Shape(name));
        }
        let (keys, values) = table.read()?;
        let entries = keys.chunks_exact(address + 8).zip(values.chunks_exact(VALUE as usize));
        let redirected = entries.filter_map(|(key, value)| redirected(key, address, value));
        found.get_or_insert_with(BTreeSet::new).extend(redirected);
    }
    Ok(())
}

/// The frontend of an entry that has the flag.
fn redirected(key: &[u8], address: usize, value: &[u8]) -> Option<SocketAddr> {
    if value.get(FLAGS)? & LOCAL_REDIRECT == 0 {
        return None;
    }
    let (ip, rest) = key.split_at_checked(address)?;
    let ip: IpAddr = match ip.len() {
        4 => <[u8; 4]>::try_from(ip).ok()?.into(),
        _ => <[u8; 16]>::try_from(ip).ok()?.into(),
    };
    let port = u16::from_be_bytes(*rest.first_chunk()?);
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_entries_with_the_flag_are_redirected() {
        let key = [169, 254, 169, 254, 0, 80, 0, 0, 6, 0, 0, 0];
        let with = |flags, flags2| {
            let value = [0, 0, 0, 0, 1, 0, 7, 0, flags, flags2, 0, 0];
            redirected(&key, 4, &value)
        };
        assert_eq!(with(0, 1), Some("169.254.169.254:80".parse().unwrap()));
        assert_eq!((with(0xff, 0), with(0, 0xfe)), (None, None));
        let six = [[0xfd, 0].as_slice(), &[0; 13], &[1, 0, 53, 0, 0, 17, 0, 0, 0]].concat();
        assert_eq!(redirected(&six, 16, &[0xff; 12]), Some("[fd00::1]:53".parse().unwrap()));
    }
}
