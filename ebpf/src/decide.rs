//! What becomes of a connect, or of a datagram to an address: one look at the active generation.
//!
//! A frontend that has an entry never leaks: where its entry cannot be carried out, it is refused, because the entry
//! may stand for a security boundary (`lrpc.dev/fallback: drop`, credentials of a metadata service). Where no
//! generation can be found, everything is left alone instead: refusing it all would cut the node off.

use lrpc_schema::protocol::Protocol;
use lrpc_schema::records::filter::Mark;
use lrpc_schema::records::{Action, Backend, Fate, FrontendKey, FrontendValue, Slot, ip4_of_words};

use crate::audience::{Audience, audience};
use crate::kernel::Kernel;

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It goes where it would have gone.
    Pass,
    /// It goes to a backend.
    Redirect(Backend),
    /// It fails with EPERM.
    Refuse(Refusal),
}

/// Why something is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The policy says so (L5).
    Dropped,
    /// The entry, or what it needs, is none that this program knows.
    Unknown,
    /// The entry names a backend that the table does not hold, or one of the other family (L4).
    NoBackend,
    /// The socket cannot remember its frontend, so that it would tell the backend (D7).
    NoMemory,
}

#[inline(always)]
pub(crate) fn decide<K: Kernel>(kernel: &K, key: FrontendKey, protocol: Protocol) -> Decision {
    let cell = kernel.cell();
    if cell.generation().is_none() {
        return Decision::Pass;
    }
    let slot = cell.slot();
    let Some(value) = entry(kernel, slot, key) else { return Decision::Pass };
    let (fate, backend) = match audience(kernel, slot, value) {
        Audience::LeftAlone(fate) => (fate, Backend::NONE),
        Audience::Unknown => return Decision::Refuse(Refusal::Unknown),
        Audience::Concerned => match value.action() {
            Some(Action::Redirect | Action::AuditRedirect) => {
                match choose(kernel, slot, key, value, protocol) {
                    Some(backend) => (Fate::Redirected, backend),
                    None if is_audit(value) => (Fate::Redirected, Backend::NONE),
                    None => return Decision::Refuse(Refusal::NoBackend),
                }
            }
            Some(Action::Drop | Action::AuditDrop) => (Fate::Dropped, Backend::NONE),
            None => return Decision::Refuse(Refusal::Unknown),
        },
    };
    let is_audit = is_audit(value);
    kernel.decided(key, fate, is_audit, backend);
    match fate {
        Fate::Redirected if !is_audit => Decision::Redirect(backend),
        Fate::Dropped if !is_audit => Decision::Refuse(Refusal::Dropped),
        Fate::Redirected | Fate::Dropped | Fate::Own | Fate::NoClient => Decision::Pass,
    }
}

#[inline(always)]
fn is_audit(value: &FrontendValue) -> bool {
    matches!(value.action(), Some(Action::AuditRedirect | Action::AuditDrop))
}

/// The entry of a frontend. Most destinations are none, and the filter says so by a word.
#[inline(always)]
fn entry<K: Kernel>(kernel: &K, slot: Slot, key: FrontendKey) -> Option<&FrontendValue> {
    let mark = Mark::of(&key);
    let words = kernel.filter(slot, 0)?;
    if !mark.is_in(kernel.filter(slot, mark.index(words))?) {
        return None;
    }
    kernel.frontend(slot, key)
}

/// One of a frontend's backends; `None` where the table does not hold it, or where it is of the other family.
#[inline(always)]
fn choose<K: Kernel>(
    kernel: &K,
    slot: Slot,
    key: FrontendKey,
    value: &FrontendValue,
    protocol: Protocol,
) -> Option<Backend> {
    let backend = match value.count() {
        0 => return None,
        1 => value.backend(),
        count => {
            let index = value.first().wrapping_add(pick(kernel, protocol, count));
            *kernel.backend(slot, index)?
        }
    };
    let is_ip4 = |words| ip4_of_words(words).is_some();
    (is_ip4(backend.address_words()) == is_ip4(key.address_words())).then_some(backend)
}

/// Which of several backends: for TCP any, for UDP the same one for as long as the socket lives, since its
/// next datagram may be part of the same exchange (D6).
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
