//! Bytes as a map set: the other half of [`write`](super::write).

use lrpc_schema::image::PolicyName;
use lrpc_schema::image::wire::{Read, Reader, Unreadable};

use super::{Backend, Frontend, MapSet, Outcome, PodRef, Reason, Row, ServiceName};

/// Bytes are not a map set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a map set: {0}")]
pub struct NotAMapSet(Unreadable);

impl MapSet {
    /// Reads a set that [`MapSet::write`] wrote.
    ///
    /// # Errors
    /// The bytes end too early or too late, rows are out of order, or a value has no meaning.
    pub fn read(bytes: &[u8]) -> Result<Self, NotAMapSet> {
        read(&mut Reader::new(bytes)).map_err(NotAMapSet)
    }
}

fn read(input: &mut Reader<'_>) -> Read<MapSet> {
    let pods = input.list(pod)?;
    let rows = input.list(|input| row(input, &pods))?;
    input.end()?;
    if !rows.is_sorted_by(|a, b| a.frontend < b.frontend) {
        return Err(Unreadable("its rows are out of order"));
    }
    Ok(MapSet { rows })
}

fn pod(input: &mut Reader<'_>) -> Read<PodRef> {
    let (namespace, name) = (input.str()?.into(), input.str()?.into());
    Ok(PodRef { namespace, name, uid: input.option(Reader::str)?.map(Into::into) })
}

fn row(input: &mut Reader<'_>, pods: &[PodRef]) -> Read<Row> {
    Ok(Row {
        frontend: Frontend { address: input.ip()?, port: input.port()?, protocol: input.protocol()? },
        policy: PolicyName { namespace: input.str()?.into(), name: input.str()?.into() },
        service: input
            .option(|input| Ok(ServiceName { namespace: input.str()?.into(), name: input.str()?.into() }))?,
        outcome: match input.u8()? {
            0 => redirect(input, pods)?,
            1 => Outcome::Original(reason(input)?),
            2 => Outcome::Drop(reason(input)?),
            _ => return Err(Unreadable("a state is unknown")),
        },
        skip_flag: input.bool()?,
        skip: pointed_at(input, pods)?.into(),
        fallback: input.fallback()?,
        clients: input.clients()?,
        client_pods: pointed_at(input, pods)?.into(),
    })
}

fn redirect(input: &mut Reader<'_>, pods: &[PodRef]) -> Read<Outcome> {
    let backends = input.list(|input| {
        Ok(Backend { address: input.ip()?, port: input.port()?, pods: pointed_at(input, pods)? })
    })?;
    if backends.is_empty() {
        return Err(Unreadable("a redirect has no backend"));
    }
    Ok(Outcome::Redirect(backends))
}

fn reason(input: &mut Reader<'_>) -> Read<Reason> {
    Ok(match input.u8()? {
        0 => Reason::NodeNotSelected,
        1 => Reason::AddressOwnedByService,
        2 => Reason::AddressNotAllowed,
        3 => Reason::BackendNotIdentified,
        4 => Reason::PortNotServed,
        5 => Reason::NoReadyBackend,
        6 => Reason::NoUsableBackend,
        _ => return Err(Unreadable("a reason is unknown")),
    })
}

/// The pods that the next numbers name.
fn pointed_at(input: &mut Reader<'_>, pods: &[PodRef]) -> Read<Vec<PodRef>> {
    input.list(|input| {
        let pod = pods.get(input.u32()? as usize);
        pod.cloned().ok_or(Unreadable("a row points at no pod"))
    })
}
