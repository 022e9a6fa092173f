//! Which frontends each policy speaks of, and whose they are: the part of a link that no node changes.
//!
//! INVARIANT: every frontend has one owner over the whole image (L1). A service policy goes before an
//! address policy, else the first by namespace and name; whoever comes later has no claim on it, and a
//! finding says so.

use std::collections::HashMap;

use ipnet::IpNet;
use lrpc_schema::image::{Fallback, Image, Matcher, Policy, PortSpec, Protocol};

use super::reach::{self, Upstreams};
use crate::findings::{
    AddressOwnedByService, Facts, Finding, FrontendOverlap, InternalTrafficLocal, ServiceHeadless,
    ServiceMissing, ServicePortMissing, ServiceSelectsFewer,
};
use crate::inventory::{Inventory, Service, ServicePort};
use crate::mapset::Frontend;

/// One policy with its frontends.
#[derive(Debug)]
pub(super) struct Claims<'a> {
    pub(super) policy: &'a Policy,
    /// The Service of a service policy, where it is there.
    pub(super) service: Option<&'a Service>,
    pub(super) frontends: Vec<Claim<'a>>,
    /// The address of an address policy is on the allow-list (L14); true for a service policy.
    pub(super) allowed: bool,
    /// The backends of a service policy have a Service for their upstream that no policy redirects (L8); not
    /// asked where the policy exempts them.
    pub(super) has_upstream: bool,
    /// What is wrong on every node on which the policy acts.
    pub(super) findings: Vec<Finding>,
}

/// One frontend that a policy owns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim<'a> {
    pub(crate) frontend: Frontend,
    /// Place of the frontend port in the policy's list; `None` in an all-ports policy.
    pub(crate) listed: Option<usize>,
    pub(crate) port: FrontendPort<'a>,
    /// It is a Service's, and the policy does not say that it may shadow it (L1).
    pub(crate) owned: bool,
}

/// What stands behind a frontend: it decides by which name its backend is found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FrontendPort<'a> {
    /// The policy's own frontend port.
    Address(&'a PortSpec),
    /// The Service's port.
    Service(&'a ServicePort),
}

impl<'a> FrontendPort<'a> {
    /// The name that takes part in choosing a backend port (R14: a listed name never does for a Service).
    pub(crate) fn name(self) -> Option<&'a str> {
        match self {
            Self::Address(spec) => spec.name.as_deref(),
            Self::Service(port) => port.name.as_deref(),
        }
    }
}

/// The claims of every policy of the image, in its order, and L1's findings, which hold on every node.
pub(super) fn claims<'a>(
    image: &'a Image,
    inventory: &'a Inventory,
    narrow: Option<&[IpNet]>,
) -> (Vec<Claims<'a>>, Vec<Finding>) {
    let mut all: Vec<Claims<'a>> =
        image.policies().iter().map(|policy| Claims::new(policy, image, inventory, narrow)).collect();
    let mut owners = HashMap::with_capacity(all.iter().map(|claims| claims.frontends.len()).sum());
    let mut findings = Vec::new();
    for wants_service in [true, false] {
        let round = |claims: &&mut Claims<'_>| {
            matches!(claims.policy.frontend, Matcher::Service { .. }) == wants_service
        };
        for claims in all.iter_mut().filter(round) {
            settle(claims, inventory, &mut owners, &mut findings);
        }
    }
    find_upstreams(&mut all, inventory);
    (all, findings)
}

/// Looks for the upstreams of the policies that would redirect their own backends.
fn find_upstreams<'a>(all: &mut [Claims<'a>], inventory: &'a Inventory) {
    let asks = |claims: &Claims<'_>| claims.service.is_some() && !claims.policy.skip;
    if !all.iter().any(asks) {
        return;
    }
    let shadowed = |claims: &Claims<'a>| {
        let owner = |claim: &Claim<'_>| Some(inventory.owner(&claim.frontend)?.service);
        let claims = claims.frontends.iter().filter(|claim| !claim.owned);
        claims.filter_map(owner).collect::<Vec<_>>()
    };
    let redirected = all.iter().flat_map(|claims| match claims.service {
        Some(service) => vec![&service.name],
        None => shadowed(claims),
    });
    let upstreams = Upstreams::new(inventory, &redirected.collect());
    for claims in all.iter_mut().filter(|claims| asks(claims)) {
        claims.has_upstream = claims.service.is_some_and(|service| upstreams.lead_to(service));
    }
}

/// Strikes out the frontends that are another policy's, and marks those that are a Service's.
fn settle<'a>(
    claims: &mut Claims<'a>,
    inventory: &Inventory,
    owners: &mut HashMap<Frontend, (&'a Policy, Option<usize>)>,
    findings: &mut Vec<Finding>,
) {
    let policy = claims.policy;
    claims.frontends.retain_mut(|claim| {
        if let Some((owner, listed)) = owners.get(&claim.frontend) {
            // Twice within one policy is one claim.
            if owner.name != policy.name {
                let (frontend, place) = (claim.frontend, claim.listed);
                findings
                    .push(FrontendOverlap { policy, place, frontend, owner, owner_place: *listed }.found());
            }
            return false;
        }
        owners.insert(claim.frontend, (policy, claim.listed));
        if let FrontendPort::Address(_) = claim.port
            && !policy.shadow_service
            && let Some(owner) = inventory.owner(&claim.frontend)
        {
            claim.owned = true;
            let (frontend, place) = (claim.frontend, claim.listed);
            findings.push(AddressOwnedByService { policy, place, frontend, owner }.found());
        }
        true
    });
}

impl<'a> Claims<'a> {
    fn new(policy: &'a Policy, image: &Image, inventory: &'a Inventory, narrow: Option<&[IpNet]>) -> Self {
        let mut claims = Self {
            policy,
            service: None,
            frontends: Vec::new(),
            allowed: true,
            has_upstream: false,
            findings: Vec::new(),
        };
        match &policy.frontend {
            Matcher::Address { ip, ports } => {
                let address = ip.get();
                let on = |list: &[IpNet]| list.iter().any(|net| net.contains(&address));
                claims.allowed = image.allowed_addresses().is_none_or(on) && narrow.is_none_or(on);
                claims.frontends = ports
                    .iter()
                    .enumerate()
                    .map(|(place, spec)| Claim {
                        frontend: Frontend { address, port: spec.port, protocol: spec.protocol },
                        listed: Some(place),
                        port: FrontendPort::Address(spec),
                        owned: false,
                    })
                    .collect();
            }
            Matcher::Service { name, ports } => claims.of_service(name, ports, inventory),
        }
        claims
    }

    /// The ClusterIP frontends of the Service whose ports are listed (R13, R14).
    fn of_service(&mut self, name: &'a str, listed: &'a [PortSpec], inventory: &'a Inventory) {
        let policy = self.policy;
        self.service = inventory.service(&policy.name.namespace, name);
        let Some(service) = self.service else {
            let elsewhere = inventory.service_elsewhere(name).map(|service| &service.name);
            let has_none = inventory.services().len() == 0;
            self.findings.push(ServiceMissing { policy, service: name, elsewhere, has_none }.found());
            return;
        };
        let addresses = match &service.cluster {
            Ok(addresses) => addresses,
            Err(why) => {
                self.findings.push(ServiceHeadless { policy, service: &service.name, why: *why }.found());
                return;
            }
        };
        let is = |spec: &PortSpec, port: &ServicePort, protocol: Protocol| {
            spec.port == port.port && spec.protocol == protocol
        };
        for port in &service.ports {
            let Some(protocol) = port.protocol else { continue };
            let place = listed.iter().position(|spec| is(spec, port, protocol));
            if listed.is_empty() || place.is_some() {
                self.frontends.extend(addresses.iter().map(|&address| Claim {
                    frontend: Frontend { address, port: port.port, protocol },
                    listed: place,
                    port: FrontendPort::Service(port),
                    owned: false,
                }));
            }
        }
        if let Some(pods) = reach::left_out(policy, service, inventory) {
            self.findings.push(ServiceSelectsFewer { policy, service, pods: &pods }.found());
        }
        if service.local_only && policy.fallback == Fallback::Original {
            self.findings.push(InternalTrafficLocal { policy, service: &service.name }.found());
        }
        for (place, spec) in listed.iter().enumerate() {
            if !service
                .ports
                .iter()
                .any(|port| is(spec, port, spec.protocol) && port.protocol == Some(spec.protocol))
            {
                self.findings.push(ServicePortMissing { policy, place, spec, service }.found());
            }
        }
    }
}
