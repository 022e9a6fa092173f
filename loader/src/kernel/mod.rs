//! The kernel's side of a generation: maps, pins, links, the cell, the lock.
//!
//! Each file is one thing the kernel keeps: [`sys`] is the door to bpf(2), [`instance`] is the directory of
//! pins with its [`lock`], and [`pins`] says where everything is pinned in it, [`bpffs`] and [`cgroup`] find
//! the two file systems, [`object`]
//! holds the programs and [`hooks`] where they are attached, [`inner`] is one set of tables and
//! [`shared`] what all generations share: the cell and the outer maps; [`counters`] and [`watch`] are what programs
//! say of their decisions, [`sockets`] are the connections that exist. For who asks whether all that works there are
//! [`scratch`], a cgroup for a moment, and [`cilium`], what another owner keeps. When to do what with them is
//! [`node`](crate::node)'s business.
//!
//! INVARIANT: `unsafe` and aya are used in this module only.

pub(crate) mod bpffs;
pub(crate) mod cgroup;
pub(crate) mod cilium;
pub(crate) mod counters;
pub(crate) mod hooks;
pub(crate) mod inner;
pub(crate) mod instance;
pub(crate) mod lock;
pub(crate) mod object;
pub(crate) mod order;
pub(crate) mod pins;
pub(crate) mod pods;
pub(crate) mod scratch;
pub(crate) mod shared;
pub(crate) mod sockets;
pub(crate) mod sys;
pub(crate) mod watch;
pub(crate) mod writer;
