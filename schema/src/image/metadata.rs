//! The metadata addresses of clouds, at which the node's own agents ask as well (L6).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Port, Protocol};

/// Instance metadata of most clouds; at ports 53 and 123 it is the name and time server of one of them.
const INSTANCE: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));
/// The same over IPv6, as AWS has it.
const INSTANCE_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254));
/// Credentials of containers.
const CONTAINER: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2));

/// Whether a cloud answers there. At another port of such an address nobody does, and a redirect takes nothing
/// from anyone.
pub fn is_metadata(address: IpAddr, port: Port, protocol: Protocol) -> bool {
    matches!(
        (address, port.get(), protocol),
        (INSTANCE | INSTANCE_V6 | CONTAINER, 80, Protocol::Tcp)
            | (INSTANCE, 53, _)
            | (INSTANCE, 123, Protocol::Udp)
    )
}
