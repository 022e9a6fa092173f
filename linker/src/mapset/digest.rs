//! The linked digest: what `status` shows and `apply --expect` compares.
//!
//! It is blake3 in key-derivation mode, its context being [`CONTEXT`], over this text of bytes:
//! the number of rows; then each row in order, as address (4 or 16 bytes, as a string), port (2), protocol
//! number (1), policy namespace, policy name, Service (0, or 1 with namespace and name), state (0 redirect,
//! 1 original, 2 drop), then for `redirect` the number of backends, each as address, port (2) and pods, and
//! for the other two the reason's name; then skip flag (1), exempt pods, fallback name, clients as the
//! annotation spells them, and client pods. Numbers of things are 8 bytes, little-endian, as are ports; a
//! string is its length (8 bytes) and its bytes. Pods are their number and, sorted, for each 1 and the UID,
//! or, where it has none, 0, namespace and name: a pod that was made anew under its old name is another
//! pod.

use std::fmt::Write as _;
use std::net::IpAddr;

use lrpc_schema::image::{Digest, Port};

use super::{MapSet, Outcome, PodRef, Row};

/// Keeps a linked digest apart from every other blake3 digest over equal bytes. A change of the encoding
/// changes its version.
const CONTEXT: &str = "lrpc linked map set v1";

impl MapSet {
    /// The linked digest: equal exactly for equal map sets, pods being told apart by UID.
    pub fn digest(&self) -> Digest {
        let hasher = blake3::Hasher::new_derive_key(CONTEXT);
        let mut encoder = Encoder { hasher, buffer: Vec::new(), clients: String::new() };
        encoder.count(self.rows.len());
        for row in &self.rows {
            encoder.row(row);
        }
        encoder.finish()
    }
}

/// Collects bytes before it hashes them: blake3 is several times faster over long input.
struct Encoder {
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
    /// The clients of a row, in words.
    clients: String,
}

/// How many bytes are hashed at a time.
const CHUNK: usize = 1 << 16;

impl Encoder {
    fn put(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.hasher.update(&self.buffer);
            self.buffer.clear();
        }
    }

    fn finish(mut self) -> Digest {
        self.hasher.update(&self.buffer);
        Digest::new(*self.hasher.finalize().as_bytes())
    }

    fn row(&mut self, row: &Row) {
        self.address(row.frontend.address);
        self.port(row.frontend.port);
        self.byte(row.frontend.protocol.number());
        self.string(&row.policy.namespace);
        self.string(&row.policy.name);
        match &row.service {
            None => self.byte(0),
            Some(service) => {
                self.byte(1);
                self.string(&service.namespace);
                self.string(&service.name);
            }
        }
        match &row.outcome {
            Outcome::Redirect(backends) => {
                self.byte(0);
                self.count(backends.len());
                for backend in backends {
                    self.address(backend.address);
                    self.port(backend.port);
                    self.pods(&backend.pods);
                }
            }
            Outcome::Original(reason) => {
                self.byte(1);
                self.string(reason.as_str());
            }
            Outcome::Drop(reason) => {
                self.byte(2);
                self.string(reason.as_str());
            }
        }
        self.byte(row.skip_flag.into());
        self.pods(&row.skip);
        self.string(row.fallback.as_str());
        let mut clients = std::mem::take(&mut self.clients);
        clients.clear();
        // Writing to a `String` cannot fail.
        let _ = write!(clients, "{}", row.clients);
        self.string(&clients);
        self.clients = clients;
        self.pods(&row.client_pods);
    }

    /// Pods sorted by what identifies them, since a name says nothing here where there is a UID.
    fn pods(&mut self, pods: &[PodRef]) {
        let mut keys: Vec<_> = pods
            .iter()
            .map(|pod| match &pod.uid {
                Some(uid) => (1, &**uid, ""),
                None => (0, &*pod.namespace, &*pod.name),
            })
            .collect();
        keys.sort_unstable();
        self.count(keys.len());
        for (tag, first, second) in keys {
            self.byte(tag);
            self.string(first);
            if tag == 0 {
                self.string(second);
            }
        }
    }

    fn address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(v4) => self.bytes(&v4.octets()),
            IpAddr::V6(v6) => self.bytes(&v6.octets()),
        }
    }

    fn string(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.put(bytes);
    }

    fn count(&mut self, count: usize) {
        self.put(&(count as u64).to_le_bytes());
    }

    fn port(&mut self, port: Port) {
        self.put(&port.get().to_le_bytes());
    }

    fn byte(&mut self, byte: u8) {
        self.put(&[byte]);
    }
}
