//! Scratch surroundings for whatever touches a kernel: tests, the demo, benches.
//!
//! A [`Sandbox`] is a network namespace, a mount namespace, a cgroup and a bpffs of its own, all gone when
//! it is dropped. A [`Server`] answers in it, and a [`Client`] connects as a process of a pod would: it is
//! in the sandbox's cgroup before it makes its first socket. A [`Node`] gives the sandbox pods that are
//! network namespaces themselves, with cgroups as a kubelet makes them.
//!
//! INVARIANT: nothing here sends to an address outside a network namespace that it made itself, and every
//! loop is bounded in count and time.
#![forbid(unsafe_code)]

mod client;
mod gauge;
mod harness;
mod ip;
mod kubelet;
mod netns;
mod node;
mod rush;
mod sandbox;
mod server;
mod sink;

pub use client::{Answer, Client, HeldSocket, Kind, Place, Storm, serve_if_client};
pub use gauge::{Batch, Call, Range};
pub use harness::{Test, run_kernel_tests};
pub use kubelet::{Driver, Qos};
pub use netns::Netns;
pub use node::{Daemon, NODE_ADDRESSES, Node, Pod, Spec};
pub use rush::Rush;
pub use sandbox::Sandbox;
pub use server::Server;
pub use sink::Sink;
