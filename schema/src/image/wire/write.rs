//! Values to bytes. Total: there is no value that cannot be written.

use std::net::IpAddr;

use crate::image::{Clients, Fallback, Operator, Selector};

/// Bytes that grow.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// One that goes on behind these bytes.
    pub const fn after(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// What has been written.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What has been written, to keep.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Makes room for so many bytes and no more.
    pub fn reserve(&mut self, bytes: usize) {
        self.0.reserve_exact(bytes);
    }

    /// Bytes as they are, without a length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// A byte.
    pub fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    /// Two bytes.
    pub fn u16(&mut self, value: u16) {
        self.0.extend(value.to_le_bytes());
    }

    /// Four bytes.
    pub fn u32(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    /// Eight bytes.
    pub fn u64(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    /// A truth value: 0 or 1.
    pub fn bool(&mut self, value: bool) {
        self.u8(value.into());
    }

    /// A number of things. What is written is far smaller than 4 GiB (the compiler limits manifests, and the kernel
    /// maps), so the saturated value is never written.
    pub fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// A text: its length in bytes, and its UTF-8.
    pub fn text(&mut self, text: &str) {
        self.count(text.len());
        self.raw(text.as_bytes());
    }

    /// Whether there is a value, and it.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.bool(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// An address: its family's version, and its octets.
    pub fn ip(&mut self, ip: IpAddr) {
        match ip {
            IpAddr::V4(v4) => {
                self.u8(4);
                self.0.extend(v4.octets());
            }
            IpAddr::V6(v6) => {
                self.u8(6);
                self.0.extend(v6.octets());
            }
        }
    }

    /// The requirements of a selector.
    pub fn selector(&mut self, selector: &Selector) {
        self.count(selector.requirements().len());
        for requirement in selector.requirements() {
            self.text(requirement.key());
            self.u8(match requirement.operator() {
                Operator::In => 0,
                Operator::NotIn => 1,
                Operator::Exists => 2,
                Operator::DoesNotExist => 3,
            });
            self.count(requirement.values().len());
            for value in requirement.values() {
                self.text(value);
            }
        }
    }

    /// What happens without a backend.
    pub fn fallback(&mut self, fallback: Fallback) {
        self.u8(match fallback {
            Fallback::Original => 0,
            Fallback::Drop => 1,
        });
    }

    /// Whose traffic is meant, with the selector where there is one.
    pub fn clients(&mut self, clients: &Clients) {
        self.u8(match clients {
            Clients::All => 0,
            Clients::Pods => 1,
            Clients::Namespace => 2,
            Clients::Selector(_) => 3,
            Clients::AllPods => 4,
        });
        if let Clients::Selector(selector) = clients {
            self.selector(selector);
        }
    }
}
