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

use lrpc_schema::protocol::Protocol;
use lrpc_schema::records::{Action, Backend, Cell, FrontendKey, FrontendValue, Peer};

use crate::kernel::{Destination, Kernel};

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

/// Decides one connect of a Protocol::Tcp or Protocol::Udp socket over IPv4, and sees to what the socket remembers.
#[inline(always)]
pub fn connect<K: Kernel>(kernel: &K, protocol: Protocol, to: Destination) -> Verdict {
    let key = FrontendKey::of_socket(to.ip4, to.port, protocol);
    let Some((cell, value)) = entry(kernel, key) else {
        kernel.forget();
        return Verdict::Pass;
    };
    match redirect(kernel, cell, value, protocol) {
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
    protocol: Protocol,
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
            let index = value.first().wrapping_add(pick(kernel, protocol, count));
            *kernel.backend(cell.slot(), index).ok_or(Refusal::NoBackend)?
        }
    };
    let ip4 = backend.user_ip4().ok_or(Refusal::NoBackend)?;
    Ok((backend, Destination { ip4, port: backend.user_port() }))
}

/// Which of several backends: for Protocol::Tcp any, for Protocol::Udp the same one for as long as the socket lives, since its
/// next connect may be part of the same exchange (D6).
#[inline(always)]
fn pick<K: Kernel>(kernel: &K, protocol: Protocol, count: u32) -> u32 {
    let number = match protocol {
        Protocol::Tcp => u64::from(kernel.random()),
        Protocol::Udp => kernel.cookie(),
    };
    #[expect(clippy::cast_possible_truncation, reason = "the remainder is below a u32")]
    {
        number.checked_rem(u64::from(count)).unwrap_or_default() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lrpc_schema::records::Slot;

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
        kernel
            .frontends
            .insert((Slot::new(SLOT.get() + 1), key(FRONTEND, Protocol::Tcp)), one("10.244.1.7:80"));
        assert_eq!(kernel.connect(Protocol::Tcp, FRONTEND), Verdict::Pass);
    }

    #[test]
    fn nothing_is_redirected_while_nothing_is_active() {
        let mut kernel = Fake::new().remembering(FRONTEND, "10.244.1.7:80");
        kernel.active = Cell::EMPTY;
        kernel.frontends.insert((Slot::new(0), key(FRONTEND, Protocol::Tcp)), one("10.244.1.7:80"));
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
        refused(Fake::new().with(FRONTEND, Protocol::Tcp, value(0)), Refusal::UnknownAction);
        refused(Fake::new().with(FRONTEND, Protocol::Tcp, value(3)), Refusal::UnknownAction);
        let none = FrontendValue::redirect(0, 0, backend("10.244.1.7:80"));
        refused(Fake::new().with(FRONTEND, Protocol::Tcp, none), Refusal::NoBackend);
        let outside = FrontendValue::redirect(2, 8, backend("10.244.1.7:80"));
        refused(Fake::new().with(FRONTEND, Protocol::Tcp, outside), Refusal::NoBackend);
        refused(Fake::new().with(FRONTEND, Protocol::Tcp, one("[fd00::7]:80")), Refusal::NoBackend);
    }

    #[test]
    fn d7_a_redirect_that_cannot_be_remembered_is_refused() {
        let mut kernel = Fake::new().with(FRONTEND, Protocol::Tcp, one("10.244.1.7:80"));
        kernel.memory_left = false;
        refused(kernel, Refusal::NoMemory);
    }
}
