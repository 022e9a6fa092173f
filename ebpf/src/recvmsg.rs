//! Where an answer comes from.

use crate::kernel::{Destination, Kernel};

/// The frontend that the sender of a datagram answers for (L11): that of the socket's connect, while it is connected,
/// or of a datagram that it sent. `None` where the sender is what it seems.
#[inline(always)]
pub fn recvmsg<K: Kernel>(kernel: &K, from: Destination) -> Option<Destination> {
    let backend = from.backend();
    // What a socket remembers of a connect outlives its peer.
    if kernel.is_connected()
        && let Some(peer) = kernel.recall()
        && peer.backend() == backend
    {
        return Some(Destination::of_frontend(&peer.frontend()));
    }
    let frontend = kernel.datagrams()?.recall(&backend)?;
    Some(Destination::of_frontend(&frontend))
}

#[cfg(test)]
mod tests {
    use crate::fake::{Fake, destination};

    const DNS: &str = "[fd00:1::10]:53";
    const CACHE: &str = "[fd00::7]:53";

    #[test]
    fn a_connected_socket_is_answered_by_its_frontend() {
        let mut kernel = Fake::new().remembering(DNS, CACHE);
        kernel.is_connected = true;
        assert_eq!(kernel.recvmsg(CACHE), Some(destination(DNS)));
        assert_eq!(kernel.recvmsg("[fd00::8]:53"), None);
    }

    #[test]
    fn a_connect_that_is_over_answers_for_nothing() {
        let kernel = Fake::new().remembering(DNS, CACHE);
        assert_eq!(kernel.recvmsg(CACHE), None);
    }
}
