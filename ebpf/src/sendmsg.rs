//! Where a datagram goes that a socket sends to an address.
//!
//! The socket remembers by backend which frontend it meant, since one socket may ask several servers; a datagram
//! that is left alone makes it forget what the address that it goes to answered for.

use lrpc_schema::protocol::Protocol;
use lrpc_schema::records::Peer;

use crate::connect::{Refusal, Verdict};
use crate::decide::{Decision, decide};
use crate::kernel::{Destination, Kernel};

/// Decides one datagram, and sees to what the socket remembers.
#[inline(always)]
pub fn sendmsg<K: Kernel>(kernel: &K, to: Destination) -> Verdict {
    // A connected IPv6 socket with an IPv4-mapped peer comes here for every `send`, with the backend that its connect
    // chose: that one is not redirected again.
    if kernel.is_connected() && kernel.recall().is_some_and(|peer| peer.backend() == to.backend()) {
        return Verdict::Pass;
    }
    let key = to.frontend(Protocol::Udp);
    match decide(kernel, key, Protocol::Udp) {
        Decision::Pass => {
            if let Some(datagrams) = kernel.datagrams() {
                datagrams.forget(&to.backend());
            }
            Verdict::Pass
        }
        Decision::Redirect(backend) => match kernel.make_datagrams() {
            Some(datagrams) => {
                datagrams.remember(&Peer::new(key, backend));
                Verdict::Redirect(Destination::of_backend(&backend))
            }
            None => Verdict::Refuse(Refusal::NoMemory),
        },
        Decision::Refuse(refusal) => Verdict::Refuse(refusal),
    }
}

#[cfg(test)]
mod tests {
    use lrpc_schema::records::{Cell, FrontendValue};

    use super::*;
    use crate::fake::{Fake, backend, destination};

    const DNS: &str = "10.96.0.10:53";
    const CACHE: &str = "10.244.1.7:53";

    fn one(to: &str) -> FrontendValue {
        FrontendValue::redirect(1, 0, backend(to))
    }

    #[test]
    fn a_datagram_goes_to_the_backend_and_its_answer_comes_from_the_frontend() {
        for (frontend, to) in [(DNS, CACHE), ("[fd00:1::10]:53", "[fd00::7]:53")] {
            let kernel = Fake::new().with(frontend, Protocol::Udp, one(to));
            assert_eq!(kernel.sendmsg(frontend), Verdict::Redirect(destination(to)));
            assert_eq!(kernel.recvmsg(to), Some(destination(frontend)));
            assert_eq!(kernel.memory(), None, "no connect is remembered");
        }
    }

    #[test]
    fn three_servers_asked_by_one_socket_answer_each_as_themselves() {
        let servers = [
            ("10.96.0.10:53", "10.244.1.7:53"),
            ("10.96.0.11:53", "10.244.1.8:53"),
            ("10.96.0.12:53", "10.244.1.9:53"),
        ];
        let kernel = servers.iter().fold(Fake::new(), |fake, (to, at)| fake.with(to, Protocol::Udp, one(at)));
        for (server, _) in servers {
            kernel.sendmsg(server);
        }
        for (server, at) in servers {
            assert_eq!(kernel.recvmsg(at), Some(destination(server)));
        }
    }

    #[test]
    fn l11_an_answer_is_the_frontends_whatever_is_active() {
        let mut kernel = Fake::new().with(DNS, Protocol::Udp, one(CACHE));
        kernel.sendmsg(DNS);
        kernel.active = Cell::EMPTY;
        assert_eq!(kernel.recvmsg(CACHE), Some(destination(DNS)));
    }

    #[test]
    fn what_went_straight_to_a_backend_is_answered_by_the_backend() {
        let kernel = Fake::new().with(DNS, Protocol::Udp, one(CACHE));
        kernel.sendmsg(DNS);
        assert_eq!(kernel.sendmsg(CACHE), Verdict::Pass);
        assert_eq!(kernel.recvmsg(CACHE), None);
    }

    #[test]
    fn a_connected_sockets_send_is_not_redirected_again() {
        let mut kernel = Fake::new().with(CACHE, Protocol::Udp, one("10.244.1.9:53")).remembering(DNS, CACHE);
        kernel.is_connected = true;
        assert_eq!(kernel.sendmsg(CACHE), Verdict::Pass);
        assert_eq!(kernel.recvmsg(CACHE), Some(destination(DNS)));
        kernel.is_connected = false;
        assert_eq!(kernel.sendmsg(CACHE), Verdict::Redirect(destination("10.244.1.9:53")));
    }

    #[test]
    fn a_datagram_to_elsewhere_leaves_a_connects_memory_alone() {
        let mut kernel = Fake::new().remembering(DNS, CACHE);
        kernel.is_connected = true;
        let before = kernel.memory();
        assert_eq!(kernel.sendmsg("192.0.2.1:53"), Verdict::Pass);
        assert_eq!(kernel.memory(), before);
    }

    #[test]
    fn l5_a_dropped_frontend_is_refused() {
        let kernel = Fake::new().with(DNS, Protocol::Udp, FrontendValue::drop());
        assert_eq!(kernel.sendmsg(DNS), Verdict::Refuse(Refusal::Dropped));
    }

    #[test]
    fn d7_a_datagram_that_cannot_be_remembered_is_refused() {
        let mut kernel = Fake::new().with(DNS, Protocol::Udp, one(CACHE));
        kernel.memory_left = false;
        assert_eq!(kernel.sendmsg(DNS), Verdict::Refuse(Refusal::NoMemory));
    }

    #[test]
    fn one_run_reads_the_cell_once() {
        let kernel = Fake::new().with(DNS, Protocol::Udp, one(CACHE));
        kernel.sendmsg(DNS);
        assert_eq!(kernel.cell_reads.get(), 1);
    }
}
