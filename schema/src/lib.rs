//! The contracts of lrpc: what the kernel programs and the loader agree on ([`records`]), and what the
//! compiler and the loader agree on ([`image`]), what both say about policies ([`diagnostic`]), and what users'
//! editors and pipelines check against (`json`).
//!
//! This crate knows no YAML, no kernel and no Kubernetes client. [`records`] builds without `std`, because
//! the kernel programs use the same types.
#![cfg_attr(not(feature = "image"), no_std)]
#![forbid(unsafe_code)]

pub mod protocol;

pub mod records;

#[cfg(feature = "image")]
pub mod diagnostic;

#[cfg(feature = "image")]
pub mod image;

#[cfg(feature = "json")]
pub mod json;
