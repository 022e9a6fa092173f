//! Where a connect goes.
//!
//! A frontend that has an entry never leaks: where its entry cannot be carried out, the connect is refused,
//! because the entry may stand for a security boundary (`lrpc.dev/fallback: drop`, credentials of a metadata
//! service). Where no generation can be found, connects are left alone instead: refusing them all would cut
//! the node off.
//!
//! What a socket remembers follows its peer: a redirect overwrites it, a connect that is left alone deletes
//! it (else a socket that went to a frontend and then straight to the backend would still report the
//! frontend). A refused connect changes neither the peer nor the memory of it.

use lrpc_schema::records::{Action, Backend, Cell, FrontendKey, FrontendValue, Peer, TCP, UDP};

use crate::kernel::{Destination, Kernel};

/// A transport that policies speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP. An MPTCP socket connects through a TCP one of its own, which is the one that hooks see.
    Tcp,
    /// UDP.
    Udp,
}

impl Transport {
    /// The transport of a socket's protocol; `None` for those that no policy names (ICMP, SCTP, UDP-Lite).
    #[inline(always)]
    pub const fn of_protocol(protocol: u32) -> Option<Self> {
        const TCP_SOCKET: u32 = TCP as u32;
        const UDP_SOCKET: u32 = UDP as u32;
        match protocol {
            TCP_SOCKET => Some(Self::Tcp),
            UDP_SOCKET => Some(Self::Udp),
            _ => None,
        }
    }

    #[inline(always)]
    const fn number(self) -> u8 {
        match self {
            Self::Tcp => TCP,
            Self::Udp => UDP,
        }
    }
}

/// What becomes of a connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes where it would have gone.
    Pass,
    /// It goes to a backend.
    Redirect(Destination),
    /// It fails with EPERM.
    Refuse(Refusal),
}

/// Why a connect is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The policy says so (L5).
    Dropped,
    /// The entry is none that this program knows.
    UnknownAction,
    /// The entry names a backend that the table does not hold, or one that IPv4 cannot reach.
    NoBackend,
    /// The socket cannot remember its frontend, so that getpeername would tell the backend (D7).
    NoMemory,
}

/// Decides one connect of a TCP or UDP socket over IPv4, and sees to what the socket remembers.
#[inline(always)]
pub fn connect<K: Kernel>(kernel: &K, transport: Transport, to: Destination) -> Verdict {
    let key = FrontendKey::of_socket(to.ip4, to.port, transport.number());
    let Some((cell, value)) = entry(kernel, key) else {
        kernel.forget();
        return Verdict::Pass;
    };
    match redirect(kernel, cell, value, transport) {
        Ok((backend, destination)) => {
            if kernel.remember(Peer::new(key, backend)) {
                Verdict::Redirect(destination)
            } else {
                Verdict::Refuse(Refusal::NoMemory)
            }
        }
        Err(refusal) => Verdict::Refuse(refusal),
    }
}

#[inline(always)]
fn entry<K: Kernel>(kernel: &K, key: FrontendKey) -> Option<(Cell, &FrontendValue)> {
    let cell = kernel.cell();
    cell.generation()?;
    Some((cell, kernel.frontend(cell.slot(), key)?))
}

#[inline(always)]
fn redirect<K: Kernel>(
    kernel: &K,
    cell: Cell,
    value: &FrontendValue,
    transport: Transport,
) -> Result<(Backend, Destination), Refusal> {
    match value.action() {
        Some(Action::Redirect) => {}
        Some(Action::Drop) => return Err(Refusal::Dropped),
        None => return Err(Refusal::UnknownAction),
    }
    let backend = match value.count() {
        0 => return Err(Refusal::NoBackend),
        1 => value.backend(),
        count => {
            let index = value.first().wrapping_add(pick(kernel, transport, count));
            *kernel.backend(cell.slot(), index).ok_or(Refusal::NoBackend)?
        }
    };
    let ip4 = backend.user_ip4().ok_or(Refusal::NoBackend)?;
    Ok((backend, Destination { ip4, port: backend.user_port() }))
}

/// Which of several backends: for TCP any, for UDP the same one for as long as the socket lives, since its
/// next connect may be part of the same exchange (D6).
#[inline(always)]
fn pick<K: Kernel>(kernel: &K, transport: Transport, count: u32) -> u32 {
    let number = match transport {
        Transport::Tcp => u64::from(kernel.random()),
        Transport::Udp => kernel.cookie(),
    };
    #[expect(clippy::cast_possible_truncation, reason = "the remainder is below a u32")]
    {
        number.checked_rem(u64::from(count)).unwrap_or_default() as u32
    }
}

#[cfg(test)]
mod tests {
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
    fn policies_speak_of_tcp_and_udp_alone() {
        let (sctp, udplite, icmp) = (132, 136, 1);
        assert_eq!(Transport::of_protocol(6), Some(Transport::Tcp));
        assert_eq!(Transport::of_protocol(17), Some(Transport::Udp));
        for other in [sctp, udplite, icmp, 6 + 256] {
            assert_eq!(Transport::of_protocol(other), None);
        }
    }

    #[test]
    fn a_frontend_goes_to_its_backend_and_is_remembered() {
        let kernel = Fake::new().with(FRONTEND, TCP, one("10.244.1.7:80"));
        assert_eq!(kernel.connect(Transport::Tcp, FRONTEND), redirect("10.244.1.7:80"));
        assert_eq!(kernel.memory(), Some(Peer::new(key(FRONTEND, TCP), backend("10.244.1.7:80"))));
    }

    #[test]
    fn address_port_and_protocol_must_all_be_the_frontends() {
        let kernel = || Fake::new().with(FRONTEND, TCP, one("10.244.1.7:80"));
        assert_eq!(kernel().connect(Transport::Udp, FRONTEND), Verdict::Pass);
        assert_eq!(kernel().connect(Transport::Tcp, "169.254.169.254:80"), Verdict::Pass);
        assert_eq!(kernel().connect(Transport::Tcp, "169.254.169.253:8080"), Verdict::Pass);
    }

    #[test]
    fn a_second_redirect_replaces_what_the_socket_remembers() {
        let kernel = Fake::new()
            .with(FRONTEND, UDP, one("10.244.1.7:80"))
            .remembering("10.96.0.10:53", "10.244.1.8:53");
        kernel.connect(Transport::Udp, FRONTEND);
        assert_eq!(kernel.memory(), Some(Peer::new(key(FRONTEND, UDP), backend("10.244.1.7:80"))));
    }

    #[test]
    fn a_connect_that_is_left_alone_makes_the_socket_forget() {
        let kernel = Fake::new().remembering(FRONTEND, "10.244.1.7:80");
        assert_eq!(kernel.connect(Transport::Udp, "10.244.1.7:80"), Verdict::Pass);
        assert_eq!(kernel.memory(), None);
    }

    #[test]
    fn only_the_active_generation_counts() {
        let mut kernel = Fake::new();
        kernel.frontends.insert((SLOT + 1, key(FRONTEND, TCP)), one("10.244.1.7:80"));
        assert_eq!(kernel.connect(Transport::Tcp, FRONTEND), Verdict::Pass);
    }

    #[test]
    fn nothing_is_redirected_while_nothing_is_active() {
        let mut kernel = Fake::new().remembering(FRONTEND, "10.244.1.7:80");
        kernel.active = Cell::EMPTY;
        kernel.frontends.insert((0, key(FRONTEND, TCP)), one("10.244.1.7:80"));
        assert_eq!(kernel.connect(Transport::Tcp, FRONTEND), Verdict::Pass);
        assert_eq!(kernel.memory(), None);
    }

    #[test]
    fn one_run_reads_the_cell_once() {
        let several = FrontendValue::redirect(2, 0, backend("10.244.1.7:80"));
        let kernel =
            Fake::new().with(FRONTEND, TCP, several).with_backends(&["10.244.1.7:80", "10.244.1.8:80"]);
        kernel.connect(Transport::Tcp, FRONTEND);
        assert_eq!(kernel.cell_reads.get(), 1);
    }

    #[test]
    fn d6_tcp_takes_any_backend_of_the_frontends_run() {
        let several = FrontendValue::redirect(3, 1, backend("10.244.1.1:80"));
        for (random, expected) in [(0, "10.244.1.1:80"), (1, "10.244.1.2:80"), (5, "10.244.1.3:80")] {
            let mut kernel = Fake::new().with(FRONTEND, TCP, several).with_backends(&[
                "10.244.1.0:80",
                "10.244.1.1:80",
                "10.244.1.2:80",
                "10.244.1.3:80",
                "10.244.1.4:80",
            ]);
            kernel.random = random;
            assert_eq!(kernel.connect(Transport::Tcp, FRONTEND), redirect(expected));
        }
    }

    #[test]
    fn d6_udp_keeps_to_one_backend_for_a_sockets_life() {
        let several = FrontendValue::redirect(2, 0, backend("10.244.1.0:53"));
        for random in 0..4 {
            let mut kernel =
                Fake::new().with(FRONTEND, UDP, several).with_backends(&["10.244.1.0:53", "10.244.1.1:53"]);
            kernel.random = random;
            kernel.cookie = (1 << 32) + 1;
            assert_eq!(kernel.connect(Transport::Udp, FRONTEND), redirect("10.244.1.1:53"));
        }
    }

    /// Refused, and the socket's memory is what it was: its peer is, too.
    #[track_caller]
    fn refused(kernel: Fake, refusal: Refusal) {
        let kernel = kernel.remembering("10.96.0.10:53", "10.244.1.8:53");
        let before = kernel.memory();
        assert_eq!(kernel.connect(Transport::Tcp, FRONTEND), Verdict::Refuse(refusal));
        assert_eq!(kernel.memory(), before);
    }

    #[test]
    fn l5_a_dropped_frontend_is_refused() {
        refused(Fake::new().with(FRONTEND, TCP, FrontendValue::drop()), Refusal::Dropped);
    }

    #[test]
    fn an_entry_that_cannot_be_carried_out_never_leaks() {
        let value = |action: u8| FrontendValue::from_bytes(&[action; FrontendValue::SIZE]);
        refused(Fake::new().with(FRONTEND, TCP, value(0)), Refusal::UnknownAction);
        refused(Fake::new().with(FRONTEND, TCP, value(3)), Refusal::UnknownAction);
        let none = FrontendValue::redirect(0, 0, backend("10.244.1.7:80"));
        refused(Fake::new().with(FRONTEND, TCP, none), Refusal::NoBackend);
        let outside = FrontendValue::redirect(2, 8, backend("10.244.1.7:80"));
        refused(Fake::new().with(FRONTEND, TCP, outside), Refusal::NoBackend);
        refused(Fake::new().with(FRONTEND, TCP, one("[fd00::7]:80")), Refusal::NoBackend);
    }

    #[test]
    fn d7_a_redirect_that_cannot_be_remembered_is_refused() {
        let mut kernel = Fake::new().with(FRONTEND, TCP, one("10.244.1.7:80"));
        kernel.memory_left = false;
        refused(kernel, Refusal::NoMemory);
    }
}
