//! The section of the policies.

use std::sync::Arc;

use crate::image::policy::{Backend, Matcher, Policy, PolicyName, PortSpec};
use crate::image::wire::{Read, Reader, Unreadable, Writer};
use crate::image::{AgentAddress, FrontendAddress, encode, rules};

/// The policies in ascending order, each as it is written and in no other way.
pub(super) fn read(input: &mut Reader<'_>) -> Read<Vec<Policy>> {
    let mut policies = Vec::<Policy>::new();
    let mut rewritten = Vec::new();
    for _ in 0..input.u32()? {
        let from = input.rest();
        let before = policies.last().map(|policy| &policy.name);
        let policy = policy(input, before)?;
        if before.is_some_and(|before| *before >= policy.name) {
            return Err(Unreadable("the policies are not in order"));
        }
        rewritten.clear();
        let mut out = Writer::after(rewritten);
        encode::policy(&policy, &mut out);
        rewritten = out.into_bytes();
        if from.get(..from.len() - input.rest().len()) != Some(&*rewritten) {
            return Err(Unreadable("the policies are not in canonical form"));
        }
        policies.push(policy);
    }
    Ok(policies)
}

/// Neighbours mostly share their namespace, which is then kept once.
fn policy(input: &mut Reader<'_>, before: Option<&PolicyName>) -> Read<Policy> {
    let namespace = input.str()?;
    let shared = before.map(|before| &before.namespace).filter(|shared| ***shared == *namespace);
    let namespace = shared.map_or_else(|| namespace.into(), Arc::clone);
    let name = PolicyName { namespace, name: input.str()?.into() };
    let frontend = matcher(input)?;
    let selector = input.selector()?;
    let ports = input.list(port)?;
    let address = input.option(Reader::ip)?.map(AgentAddress::new).transpose();
    let address = address.map_err(|_| Unreadable("a backend address is not one"))?;
    let policy = Policy {
        name,
        frontend,
        backend: Backend { selector, ports, address },
        skip: input.bool()?,
        fallback: input.fallback()?,
        clients: input.clients()?,
        nodes: input.option(Reader::selector)?,
        shadow_service: input.bool()?,
    };
    rules::check(&policy).map_err(Unreadable)?;
    Ok(policy)
}

fn matcher(input: &mut Reader<'_>) -> Read<Matcher> {
    match input.u8()? {
        0 => {
            let ip = FrontendAddress::new(input.ip()?);
            let ip = ip.map_err(|_| Unreadable("a frontend address is not one"))?;
            Ok(Matcher::Address { ip, ports: input.list(port)? })
        }
        1 => Ok(Matcher::Service { name: input.text()?, ports: input.list(port)? }),
        _ => Err(Unreadable("a matcher is unknown")),
    }
}

fn port(input: &mut Reader<'_>) -> Read<PortSpec> {
    Ok(PortSpec { port: input.port()?, protocol: input.protocol()?, name: input.option(Reader::text)? })
}
