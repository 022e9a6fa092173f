//! Bytes to values. No length is believed: a list grows as it is read.

use std::net::IpAddr;

use crate::image::{Clients, Fallback, Operator, Port, Requirement, Selector};
use crate::protocol::Protocol;

/// Bytes mean nothing here: what about them is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub &'static str);

/// A value, or why there is none.
pub type Read<T> = Result<T, Unreadable>;

/// What has not been read yet.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// All of these bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes that have not been read.
    pub const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// The next bytes as they are.
    ///
    /// # Errors
    /// There are fewer.
    pub fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Unreadable("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    /// The same, where their number is known when this is compiled.
    ///
    /// # Errors
    /// There are fewer.
    pub fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// Holds that everything has been read.
    ///
    /// # Errors
    /// Something has not.
    pub fn end(&self) -> Read<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Unreadable("bytes follow its end")) }
    }

    /// A byte.
    ///
    /// # Errors
    /// There is none.
    pub fn u8(&mut self) -> Read<u8> {
        self.array().map(u8::from_le_bytes)
    }

    /// Two bytes.
    ///
    /// # Errors
    /// There are fewer.
    pub fn u16(&mut self) -> Read<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes.
    ///
    /// # Errors
    /// There are fewer.
    pub fn u32(&mut self) -> Read<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// There are fewer.
    pub fn u64(&mut self) -> Read<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A truth value.
    ///
    /// # Errors
    /// It is neither 0 nor 1.
    pub fn bool(&mut self) -> Read<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Unreadable("a truth value is neither 0 nor 1")),
        }
    }

    /// A text, where it stands.
    ///
    /// # Errors
    /// It is shorter than its length, or not UTF-8.
    pub fn str(&mut self) -> Read<&'a str> {
        let length = self.u32()? as usize;
        str::from_utf8(self.take(length)?).map_err(|_| Unreadable("a text is not UTF-8"))
    }

    /// A text to keep.
    ///
    /// # Errors
    /// As [`str`](Self::str).
    pub fn text(&mut self) -> Read<String> {
        self.str().map(ToOwned::to_owned)
    }

    /// A value that may be absent.
    ///
    /// # Errors
    /// It is neither there nor absent, or `read` fails.
    pub fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        if self.bool()? { read(self).map(Some) } else { Ok(None) }
    }

    /// A list. Its count alone reserves nothing, since it may lie.
    ///
    /// # Errors
    /// `read` fails before the count is reached.
    pub fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let mut list = Vec::new();
        for _ in 0..self.u32()? {
            list.push(read(self)?);
        }
        Ok(list)
    }

    /// An address.
    ///
    /// # Errors
    /// Its family is unknown.
    pub fn ip(&mut self) -> Read<IpAddr> {
        match self.u8()? {
            4 => self.array::<4>().map(IpAddr::from),
            6 => self.array::<16>().map(IpAddr::from),
            _ => Err(Unreadable("an address is neither IPv4 nor IPv6")),
        }
    }

    /// A port.
    ///
    /// # Errors
    /// It is 0.
    pub fn port(&mut self) -> Read<Port> {
        Port::new(self.u16()?).ok_or(Unreadable("a port is 0"))
    }

    /// A protocol, by its IANA number.
    ///
    /// # Errors
    /// It is none of a frontend's.
    pub fn protocol(&mut self) -> Read<Protocol> {
        Protocol::from_number(self.u8()?).ok_or(Unreadable("a protocol is unknown"))
    }

    /// A selector in canonical form.
    ///
    /// # Errors
    /// A requirement is none.
    pub fn selector(&mut self) -> Read<Selector> {
        self.list(Self::requirement).map(Selector::new)
    }

    fn requirement(&mut self) -> Read<Requirement> {
        let key = self.text()?;
        let operator = match self.u8()? {
            0 => Operator::In,
            1 => Operator::NotIn,
            2 => Operator::Exists,
            3 => Operator::DoesNotExist,
            _ => return Err(Unreadable("a selector's operator is unknown")),
        };
        Requirement::new(key, operator, self.list(Self::text)?)
            .map_err(|_| Unreadable("a selector has a requirement that is none"))
    }

    /// What happens without a backend.
    ///
    /// # Errors
    /// It is unknown.
    pub fn fallback(&mut self) -> Read<Fallback> {
        match self.u8()? {
            0 => Ok(Fallback::Original),
            1 => Ok(Fallback::Drop),
            _ => Err(Unreadable("a fallback is unknown")),
        }
    }

    /// Whose traffic is meant.
    ///
    /// # Errors
    /// It is unknown.
    pub fn clients(&mut self) -> Read<Clients> {
        Ok(match self.u8()? {
            0 => Clients::All,
            1 => Clients::Pods,
            2 => Clients::Namespace,
            3 => Clients::Selector(self.selector()?),
            4 => Clients::AllPods,
            _ => return Err(Unreadable("a policy's clients are unknown")),
        })
    }
}
