//! What the kernel programs decide, apart from the kernel: plain functions that `cargo test` runs on the
//! host. The binary beside them holds the hooks and the maps.
//!
//! This crate knows no generation's content and no policy: tables come through [`kernel::Kernel`], in the
//! words of [`lrpc_schema::records`].
#![no_std]
#![forbid(unsafe_code)]

pub mod kernel;

pub mod connect;
pub mod getpeername;
pub mod recvmsg;
pub mod sendmsg;

mod audience;
mod decide;

#[cfg(test)]
mod fake;
