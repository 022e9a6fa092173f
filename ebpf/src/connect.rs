//! Where a connect goes.
//!
//! What a socket remembers follows its peer: a redirect overwrites it, a connect that is left alone deletes
//! it (else a socket that went to a frontend and then straight to the backend would still report the
//! frontend). A refused connect changes neither the peer nor the memory of it.

use lrpc_schema::protocol::Protocol;
use lrpc_schema::records::Peer;

use crate::decide::{Decision, decide};
use crate::kernel::{Destination, Kernel};

pub use crate::decide::Refusal;

/// What becomes of a connect, or of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes where it would have gone.
    Pass,
    /// It goes to a backend.
    Redirect(Destination),
    /// It fails with EPERM.
    Refuse(Refusal),
}

/// Decides one connect of a TCP or UDP socket, and sees to what the socket remembers.
#[inline(always)]
pub fn connect<K: Kernel>(kernel: &K, protocol: Protocol, to: Destination) -> Verdict {
    let key = to.frontend(protocol);
    match decide(kernel, key, protocol) {
        Decision::Pass => {
            kernel.forget();
            Verdict::Pass
        }
        Decision::Redirect(backend) if kernel.remember(Peer::new(key, backend)) => {
            Verdict::Redirect(Destination::of_backend(&backend))
        }
        Decision::Redirect(_) => Verdict::Refuse(Refusal::NoMemory),
        Decision::Refuse(refusal) => Verdict::Refuse(refusal),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use lrpc_schema::records::{Cell, Fate, FrontendValue, Slot};

    use super::*;
    use crate::fake::{Fake, SLOT, backend, destination, key};

    const FRONTEND: &str = "169.254.169.254:8080";

    fn one(to: &str) -> FrontendValue {
        FrontendValue::redirect(1, 0, backend(to))
    }

    fn redirect(to: &str) -> Verdict {
        Verdict::Redirect(destination(to))
    }

    #[test]
    fn a_frontend_goes_to_its_backend_and_is_remembered() {
        let kernel = Fake::new().with(FRONTEND, Protocol::Tcp, one("10.244.1.7:80"));
        assert_eq!(kernel.connect(Protocol::Tcp, FRONTEND), redirect("10.244.1.7:80"));
        assert_eq!(kernel.memory(), Some(Peer::new(key(FRONTEND, Protocol::Tcp), backend("10.244.1.7:80"))));
    }

    #[test]
    fn address_port_and_protocol_must_all_be_the_frontends() {
        let kernel = || Fake::new().with(FRONTEND, Protocol::Tcp, one("10.244.1.7:80"));
        assert_eq!(kernel().connect(Protocol::Udp, FRONTEND), Verdict::Pass);
        assert_eq!(kernel().connect(Protocol::Tcp, "169.254.169.254:80"), Verdict::Pass);
        assert_eq!(kernel().connect(Protocol::Tcp, "169.254.169.253:8080"), Verdict::Pass);
    }

    #[test]
    fn a_second_redirect_replaces_what_the_socket_remembers() {
        let kernel = Fake::new()
            .with(FRONTEND, Protocol::Udp, one("10.244.1.7:80"))
            .remembering("10.96.0.10:53", "10.244.1.8:53");
        kernel.connect(Protocol::Udp, FRONTEND);
        assert_eq!(kernel.memory(), Some(Peer::new(key(FRONTEND, Protocol::Udp), backend("10.244.1.7:80"))));
    }

    #[test]
    fn a_connect_that_is_left_alone_makes_the_socket_forget() {
        let kernel = Fake::new().remembering(FRONTEND, "10.244.1.7:80");
        assert_eq!(kernel.connect(Protocol::Udp, "10.244.1.7:80"), Verdict::Pass);
        assert_eq!(kernel.memory(), None);
    }

    #[test]
    fn only_the_active_generation_counts() {
        let mut kernel = Fake::new();
        kernel.put(Slot::new(SLOT.get() + 1), key(FRONTEND, Protocol::Tcp), one("10.244.1.7:80"));
        assert_eq!(kernel.connect(Protocol::Tcp, FRONTEND), Verdict::Pass);
    }

    #[test]
    fn nothing_is_redirected_while_nothing_is_active() {
        let mut kernel = Fake::new().remembering(FRONTEND, "10.244.1.7:80");
        kernel.active = Cell::EMPTY;
        kernel.put(Slot::new(0), key(FRONTEND, Protocol::Tcp), one("10.244.1.7:80"));
        assert_eq!(kernel.connect(Protocol::Tcp, FRONTEND), Verdict::Pass);
        assert_eq!(kernel.memory(), None);
    }

    #[test]
    fn one_run_reads_the_cell_once() {
        let several = FrontendValue::redirect(2, 0, backend("10.244.1.7:80"));
        let kernel = Fake::new()
            .with(FRONTEND, Protocol::Tcp, several)
            .with_backends(&["10.244.1.7:80", "10.244.1.8:80"]);
        kernel.connect(Protocol::Tcp, FRONTEND);
        assert_eq!(kernel.cell_reads.get(), 1);
    }

    #[test]
    fn d6_tcp_takes_any_backend_of_the_frontends_run() {
        let several = FrontendValue::redirect(3, 1, backend("10.244.1.1:80"));
        for (random, expected) in [(0, "10.244.1.1:80"), (1, "10.244.1.2:80"), (5, "10.244.1.3:80")] {
            let mut kernel = Fake::new().with(FRONTEND, Protocol::Tcp, several).with_backends(&[
                "10.244.1.0:80",
                "10.244.1.1:80",
                "10.244.1.2:80",
                "10.244.1.3:80",
                "10.244.1.4:80",
            ]);
            kernel.random = random;
            assert_eq!(kernel.connect(Protocol::Tcp, FRONTEND), redirect(expected));
        }
    }

    #[test]
    fn d6_udp_keeps_to_one_backend_for_a_sockets_life() {
        let several = FrontendValue::redirect(2, 0, backend("10.244.1.0:53"));
        for random in 0..4 {
            let mut kernel = Fake::new()
                .with(FRONTEND, Protocol::Udp, several)
                .with_backends(&["10.244.1.0:53", "10.244.1.1:53"]);
            kernel.random = random;
            kernel.cookie = (1 << 32) + 1;
            assert_eq!(kernel.connect(Protocol::Udp, FRONTEND), redirect("10.244.1.1:53"));
        }
    }

    /// Refused, and the socket's memory is what it was: its peer is, too.
    #[track_caller]
    fn refused(kernel: Fake, refusal: Refusal) {
        let kernel = kernel.remembering("10.96.0.10:53", "10.244.1.8:53");
        let before = kernel.memory();
        assert_eq!(kernel.connect(Protocol::Tcp, FRONTEND), Verdict::Refuse(refusal));
        assert_eq!(kernel.memory(), before);
    }

    #[test]
    fn l5_a_dropped_frontend_is_refused() {
        refused(Fake::new().with(FRONTEND, Protocol::Tcp, FrontendValue::drop()), Refusal::Dropped);
    }

    #[test]
    fn an_entry_that_cannot_be_carried_out_never_leaks() {
        let value = |action: u8| FrontendValue::from_bytes(&[action; FrontendValue::SIZE]);
        refused(Fake::new().with(FRONTEND, Protocol::Tcp, value(0)), Refusal::Unknown);
        refused(Fake::new().with(FRONTEND, Protocol::Tcp, value(5)), Refusal::Unknown);
        let none = FrontendValue::redirect(0, 0, backend("10.244.1.7:80"));
        refused(Fake::new().with(FRONTEND, Protocol::Tcp, none), Refusal::NoBackend);
        let outside = FrontendValue::redirect(2, 8, backend("10.244.1.7:80"));
        refused(Fake::new().with(FRONTEND, Protocol::Tcp, outside), Refusal::NoBackend);
        refused(Fake::new().with(FRONTEND, Protocol::Tcp, one("[fd00::7]:80")), Refusal::NoBackend);
    }

    #[test]
    fn l16_each_family_goes_to_its_own() {
        for (frontend, to) in [("[fd00:1::10]:53", "[fd00::7]:53"), ("10.96.0.10:53", "10.244.1.7:53")] {
            let kernel = Fake::new().with(frontend, Protocol::Udp, one(to));
            assert_eq!(kernel.connect(Protocol::Udp, frontend), redirect(to));
            assert_eq!(kernel.memory(), Some(Peer::new(key(frontend, Protocol::Udp), backend(to))));
        }
        let crossed = Fake::new().with("[fd00:1::10]:53", Protocol::Udp, one("10.244.1.7:53"));
        assert_eq!(crossed.connect(Protocol::Udp, "[fd00:1::10]:53"), Verdict::Refuse(Refusal::NoBackend));
    }

    #[test]
    fn an_audit_counts_and_touches_nothing() {
        for (value, fate) in
            [(one("10.244.1.7:80"), Fate::Redirected), (FrontendValue::drop(), Fate::Dropped)]
        {
            let kernel = Fake::new().with(FRONTEND, Protocol::Tcp, value.audited());
            assert_eq!(kernel.connect(Protocol::Tcp, FRONTEND), Verdict::Pass);
            assert_eq!((kernel.memory(), kernel.fates.borrow().as_slice()), (None, &[fate][..]));
        }
    }

    #[test]
    fn an_audit_touches_nothing_whatever_its_entry_lacks() {
        let none = FrontendValue::redirect(0, 0, backend("10.244.1.7:80")).audited();
        let kernel = Fake::new().with(FRONTEND, Protocol::Tcp, none);
        assert_eq!(kernel.connect(Protocol::Tcp, FRONTEND), Verdict::Pass);
    }

    #[test]
    fn what_the_filter_does_not_know_is_not_looked_up() {
        let mut kernel = Fake::new().with(FRONTEND, Protocol::Tcp, one("10.244.1.7:80"));
        kernel.filters.insert(SLOT, std::vec![1, 0]);
        assert_eq!(kernel.connect(Protocol::Tcp, FRONTEND), Verdict::Pass);
    }

    #[test]
    fn d7_a_redirect_that_cannot_be_remembered_is_refused() {
        let mut kernel = Fake::new().with(FRONTEND, Protocol::Tcp, one("10.244.1.7:80"));
        kernel.memory_left = false;
        refused(kernel, Refusal::NoMemory);
    }
}
