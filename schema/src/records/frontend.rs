//! The frontend table: where a connection wants to go, and what happens to it.

use core::net::IpAddr;

use super::address::{
    address_of_words, address_words, port_of_word, port_protocol_word, protocol_of_word, user_port_of_word,
    user_port_protocol_word,
};
use super::{Backend, SetId};
use crate::protocol::Protocol;

/// Key of the frontend table: {address 16, port 2, protocol 1, zero 5}, network byte order.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrontendKey {
    pub(super) words: [u64; 3],
}
words!(FrontendKey, 3);

impl FrontendKey {
    /// The key of a frontend.
    pub const fn new(address: IpAddr, port: u16, protocol: Protocol) -> Self {
        let [high, low] = address_words(address);
        Self { words: [high, low, port_protocol_word(port, protocol)] }
    }

    /// The key of where a socket connects to, as its hook sees that: the address as two words in network byte
    /// order, IPv4 in its mapped form, and the low 16 bits of the port in network byte order.
    #[inline(always)]
    pub const fn of_socket([high, low]: [u64; 2], user_port: u32, protocol: Protocol) -> Self {
        Self { words: [high, low, user_port_protocol_word(user_port, protocol)] }
    }

    /// The frontend's address.
    pub const fn address(&self) -> IpAddr {
        address_of_words([self.words[0], self.words[1]])
    }

    /// The frontend's port.
    pub const fn port(&self) -> u16 {
        port_of_word(self.words[2])
    }

    /// The frontend's protocol; `None` in a key that no loader writes.
    pub const fn protocol(&self) -> Option<Protocol> {
        Protocol::from_number(protocol_of_word(self.words[2]))
    }

    /// The address as two words in network byte order, IPv4 in its mapped form.
    #[inline(always)]
    pub const fn address_words(&self) -> [u64; 2] {
        [self.words[0], self.words[1]]
    }

    /// The port as a socket hook wants it.
    #[inline(always)]
    pub const fn user_port(&self) -> u32 {
        user_port_of_word(self.words[2])
    }
}

/// What happens to a connection to a frontend.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The connection goes to one of the backends.
    Redirect = 1,
    /// The connection is refused with EPERM (`lrpc.dev/fallback: drop`, L5).
    Drop = 2,
    /// It is counted as one that would be redirected, and left alone.
    AuditRedirect = 3,
    /// It is counted as one that would be refused, and left alone.
    AuditDrop = 4,
}

/// Whose connections to a frontend are redirected (L6).
#[repr(u8)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientKind {
    /// Everybody's.
    #[default]
    All = 0,
    /// Those of sockets in other network namespaces than the node's own.
    OtherNetns = 1,
    /// Those of processes in a kubelet's tree.
    Pods = 2,
    /// Those of the pods in a set.
    Members = 3,
    /// Those of processes in a kubelet's tree, but for the pods in a set.
    OtherPods = 4,
}

/// Whom a frontend concerns: its clients (L6), and whose traffic is exempt (L8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Whose connections are redirected.
    pub kind: ClientKind,
    /// The set of [`ClientKind::Members`] and [`ClientKind::OtherPods`].
    pub clients: SetId,
    /// The pods whose own connections are left alone; `None` where there is no such pod.
    pub exempt: Option<SetId>,
}

/// Value of the frontend table: {action 1, client kind 1, zero 2, backend count 4}, {index of the first backend 4,
/// set of clients 4}, the first backend itself, so that a frontend with one backend (the usual case: one agent per
/// node) is served by one look-up, and {set of exempt pods 4, zero 4}; set 0 exempts nobody.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrontendValue {
    words: [u64; 6],
}
words!(FrontendValue, 6);

impl FrontendValue {
    /// A frontend whose connections go to `count` backends from index `first` on; `backend` is the first of
    /// them. `count` is at least 1.
    pub const fn redirect(count: u32, first: u32, backend: Backend) -> Self {
        let [high, low, port] = backend.words;
        Self { words: [Action::Redirect as u64 | (count as u64) << 32, first as u64, high, low, port, 0] }
    }

    /// A frontend whose connections are refused.
    pub const fn drop() -> Self {
        Self { words: [Action::Drop as u64, 0, 0, 0, 0, 0] }
    }

    /// The same for some only.
    #[must_use]
    pub const fn concerning(mut self, audience: Audience) -> Self {
        self.words[0] = self.words[0] & !0xff00 | (audience.kind as u64) << 8;
        self.words[1] = self.words[1] & 0xffff_ffff | (audience.clients.get() as u64) << 32;
        self.words[5] = match audience.exempt {
            Some(set) => set.get() as u64,
            None => 0,
        };
        self
    }

    /// The same, counted only.
    #[must_use]
    pub const fn audited(mut self) -> Self {
        let action = match self.words[0] & 0xff {
            1 => Action::AuditRedirect as u64,
            2 => Action::AuditDrop as u64,
            other => other,
        };
        self.words[0] = self.words[0] & !0xff | action;
        self
    }

    /// What to do; `None` for a value that no loader of this version writes.
    #[inline(always)]
    pub const fn action(&self) -> Option<Action> {
        match self.words[0] & 0xff {
            1 => Some(Action::Redirect),
            2 => Some(Action::Drop),
            3 => Some(Action::AuditRedirect),
            4 => Some(Action::AuditDrop),
            _ => None,
        }
    }

    /// Whether the frontend concerns everybody, so that nobody need be told from others.
    #[inline(always)]
    pub const fn is_for_all(&self) -> bool {
        self.words[0] & 0xff00 == 0 && self.words[5] == 0
    }

    /// Whose connections are redirected; `None` for a value that no loader of this version writes.
    #[inline(always)]
    pub const fn client_kind(&self) -> Option<ClientKind> {
        match self.words[0] >> 8 & 0xff {
            0 => Some(ClientKind::All),
            1 => Some(ClientKind::OtherNetns),
            2 => Some(ClientKind::Pods),
            3 => Some(ClientKind::Members),
            4 => Some(ClientKind::OtherPods),
            _ => None,
        }
    }

    /// The set of clients; only meant where the kind has one.
    #[inline(always)]
    pub const fn clients(&self) -> SetId {
        SetId::new((self.words[1] >> 32) as u32)
    }

    /// The pods whose own connections are left alone.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the word was made from a u32")]
    pub const fn exempt(&self) -> Option<SetId> {
        match self.words[5] as u32 {
            0 => None,
            set => Some(SetId::new(set)),
        }
    }

    /// Number of backends.
    #[inline(always)]
    pub const fn count(&self) -> u32 {
        (self.words[0] >> 32) as u32
    }

    /// Index of the first backend in the backend table.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is a u32")]
    pub const fn first(&self) -> u32 {
        self.words[1] as u32
    }

    /// The first backend; zeros where connections are refused.
    #[inline(always)]
    pub const fn backend(&self) -> Backend {
        Backend { words: [self.words[2], self.words[3], self.words[4]] }
    }
}
