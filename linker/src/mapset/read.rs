//! Bytes as a map set: the other half of [`write`](super::write).

use std::net::IpAddr;

use lrpc_schema::image::{Clients, Fallback, Operator, PolicyName, Port, Protocol, Requirement, Selector};

use super::{Backend, Frontend, MapSet, Outcome, PodRef, Reason, Row, ServiceName};

/// Bytes are not a map set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a map set: {0}")]
pub struct NotAMapSet(&'static str);

impl MapSet {
    /// Reads a set that [`MapSet::write`] wrote.
    ///
    /// # Errors
    /// The bytes end too early or too late, rows are out of order, or a value has no meaning.
    pub fn read(bytes: &[u8]) -> Result<Self, NotAMapSet> {
        let mut input = Input { bytes, pods: Vec::new() };
        input.pods = input.list(Input::pod)?;
        let rows = input.list(Input::row)?;
        if !input.bytes.is_empty() {
            return Err(NotAMapSet("something follows it"));
        }
        if !rows.is_sorted_by(|a, b| a.frontend < b.frontend) {
            return Err(NotAMapSet("its rows are out of order"));
        }
        Ok(Self { rows })
    }
}

/// What has not been read yet.
struct Input<'a> {
    bytes: &'a [u8],
    /// What rows point at.
    pods: Vec<PodRef>,
}

impl Input<'_> {
    fn row(&mut self) -> Result<Row, NotAMapSet> {
        Ok(Row {
            frontend: Frontend { address: self.address()?, port: self.port()?, protocol: self.protocol()? },
            policy: PolicyName { namespace: self.text()?.into(), name: self.text()?.into() },
            service: self.service()?,
            outcome: self.outcome()?,
            skip_flag: self.bool()?,
            skip: self.pods()?.into(),
            fallback: match self.u8()? {
                0 => Fallback::Original,
                1 => Fallback::Drop,
                _ => return Err(NotAMapSet("an unknown fallback")),
            },
            clients: self.clients()?,
            client_pods: self.pods()?.into(),
        })
    }

    fn pod(&mut self) -> Result<PodRef, NotAMapSet> {
        let (namespace, name) = (self.text()?.into(), self.text()?.into());
        let uid = if self.bool()? { Some(self.text()?.into()) } else { None };
        Ok(PodRef { namespace, name, uid })
    }

    fn service(&mut self) -> Result<Option<ServiceName>, NotAMapSet> {
        if !self.bool()? {
            return Ok(None);
        }
        Ok(Some(ServiceName { namespace: self.text()?.into(), name: self.text()?.into() }))
    }

    fn outcome(&mut self) -> Result<Outcome, NotAMapSet> {
        Ok(match self.u8()? {
            0 => match self.list(Self::backend)? {
                none if none.is_empty() => return Err(NotAMapSet("a redirect without a backend")),
                backends => Outcome::Redirect(backends),
            },
            1 => Outcome::Original(self.reason()?),
            2 => Outcome::Drop(self.reason()?),
            _ => return Err(NotAMapSet("an unknown state")),
        })
    }

    fn backend(&mut self) -> Result<Backend, NotAMapSet> {
        Ok(Backend { address: self.address()?, port: self.port()?, pods: self.pods()? })
    }

    fn reason(&mut self) -> Result<Reason, NotAMapSet> {
        Ok(match self.u8()? {
            0 => Reason::NodeNotSelected,
            1 => Reason::AddressOwnedByService,
            2 => Reason::AddressNotAllowed,
            3 => Reason::BackendNotIdentified,
            4 => Reason::PortNotServed,
            5 => Reason::NoReadyBackend,
            6 => Reason::NoUsableBackend,
            _ => return Err(NotAMapSet("an unknown reason")),
        })
    }

    fn clients(&mut self) -> Result<Clients, NotAMapSet> {
        Ok(match self.u8()? {
            0 => Clients::All,
            1 => Clients::Pods,
            2 => Clients::Namespace,
            3 => Clients::Selector(Selector::new(self.list(Self::requirement)?)),
            4 => Clients::AllPods,
            _ => return Err(NotAMapSet("unknown clients")),
        })
    }

    fn requirement(&mut self) -> Result<Requirement, NotAMapSet> {
        let key = self.text()?;
        let operator = match self.u8()? {
            0 => Operator::In,
            1 => Operator::NotIn,
            2 => Operator::Exists,
            3 => Operator::DoesNotExist,
            _ => return Err(NotAMapSet("an unknown operator")),
        };
        Requirement::new(key, operator, self.list(Self::text)?)
            .map_err(|_| NotAMapSet("a requirement that none is"))
    }

    fn pods(&mut self) -> Result<Vec<PodRef>, NotAMapSet> {
        self.list(|input| {
            let number = usize::try_from(input.u32()?).ok();
            let pod = number.and_then(|number| input.pods.get(number));
            pod.cloned().ok_or(NotAMapSet("a row points at no pod"))
        })
    }

    fn address(&mut self) -> Result<IpAddr, NotAMapSet> {
        match self.u8()? {
            4 => Ok(IpAddr::from(self.take::<4>()?)),
            6 => Ok(IpAddr::from(self.take::<16>()?)),
            _ => Err(NotAMapSet("an unknown family")),
        }
    }

    fn port(&mut self) -> Result<Port, NotAMapSet> {
        Port::new(u16::from_le_bytes(self.take()?)).ok_or(NotAMapSet("port 0"))
    }

    fn protocol(&mut self) -> Result<Protocol, NotAMapSet> {
        Protocol::from_number(self.u8()?).ok_or(NotAMapSet("an unknown protocol"))
    }

    /// The count is not trusted for allocation.
    fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, NotAMapSet>,
    ) -> Result<Vec<T>, NotAMapSet> {
        (0..self.u32()?).map(|_| item(self)).collect()
    }

    fn text(&mut self) -> Result<String, NotAMapSet> {
        let length = usize::try_from(self.u32()?).map_err(|_| ENDS)?;
        let (text, rest) = self.bytes.split_at_checked(length).ok_or(ENDS)?;
        self.bytes = rest;
        String::from_utf8(text.to_owned()).map_err(|_| NotAMapSet("a text is not UTF-8"))
    }

    fn bool(&mut self) -> Result<bool, NotAMapSet> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(NotAMapSet("neither 0 nor 1")),
        }
    }

    fn u8(&mut self) -> Result<u8, NotAMapSet> {
        Ok(u8::from_le_bytes(self.take()?))
    }

    fn u32(&mut self) -> Result<u32, NotAMapSet> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], NotAMapSet> {
        let (taken, rest) = self.bytes.split_first_chunk().ok_or(ENDS)?;
        self.bytes = rest;
        Ok(*taken)
    }
}

const ENDS: NotAMapSet = NotAMapSet("it ends too early");
