//! Connections that were not looked at, or could not be closed: no error of an apply, but never passed over.

use std::collections::BTreeMap;

use super::Error;
use crate::kernel::sockets::{Place, Swept};
use crate::kernel::sys::SysError;

/// What kept connections from being looked at or closed.
#[derive(Debug, thiserror::Error)]
pub enum Overlooked {
    /// Network namespaces could not be looked into.
    #[error("existing connections were not looked at in {}", words(.places))]
    Unseen {
        /// Each by its number, where that could be had, and a process in it.
        places: Vec<Place>,
        /// Why.
        source: SysError,
    },
    /// Processes are not to be seen from here.
    #[error(
        "existing connections were not looked at in the network namespaces of {0} processes outside of this PID namespace"
    )]
    Invisible(usize),
    /// Whether a connection is one of a pod's, which decides about it (L6), cannot be told.
    #[error(
        "{0} of the existing connections were left alone: their network namespaces cannot be told from the node's"
    )]
    Untold(usize),
    /// The kernel does not end them.
    #[error("{connections} of the existing connections could not be closed")]
    Unclosed {
        /// How many.
        connections: usize,
        /// Why.
        source: SysError,
    },
}

/// How many processes are named whose namespace has no number.
const NAMED: usize = 5;

/// Namespaces in words. Where no number could be had, each process may be in one of its own.
fn words(places: &[Place]) -> String {
    let (numbered, others): (Vec<_>, Vec<_>) = places.iter().partition(|place| place.number.is_some());
    let mut words: Vec<_> =
        numbered.iter().chain(others.iter().take(NAMED)).map(ToString::to_string).collect();
    match others.len().saturating_sub(NAMED) {
        0 => {}
        1 => words.push("that of another process".to_owned()),
        more => words.push(format!("those of {more} other processes")),
    }
    words.join(", ")
}

impl Overlooked {
    /// What to do about it, where it is known.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::Unseen { source, .. } if source.is_denied() => {
                "run as root, or with CAP_SYS_ADMIN and CAP_SYS_PTRACE beside CAP_BPF and CAP_NET_ADMIN"
            }
            Self::Invisible(_) => "run in the PID namespace of the host (`hostPID: true` in a pod)",
            Self::Unclosed { source, .. } if source.errno() == Some(libc::EOPNOTSUPP) => {
                "this kernel was built without CONFIG_INET_DIAG_DESTROY: restart what must reconnect"
            }
            Self::Unclosed { source, .. } if source.is_denied() => "run as root, or with CAP_NET_ADMIN",
            Self::Untold(_) => "it wants `/proc/sys/net`, and Linux 5.14 for `--node-netns self`",
            Self::Unseen { .. } | Self::Unclosed { .. } => return None,
        };
        Some(text.to_owned())
    }
}

/// What a sweep has overlooked, alike causes together; `invisible` processes cannot be seen from here.
pub(in crate::node) fn overlooked(swept: Swept, invisible: usize) -> Vec<Error> {
    let unseen = alike(swept.unseen);
    let unclosed = alike(swept.unclosed.into_iter().map(|error| ((), error)));
    let unseen = unseen.map(|(places, source)| Overlooked::Unseen { places, source });
    let unclosed = unclosed.map(|(each, source)| Overlooked::Unclosed { connections: each.len(), source });
    let invisible = (invisible > 0).then_some(Overlooked::Invisible(invisible));
    let untold = (swept.untold > 0).then_some(Overlooked::Untold(swept.untold));
    unseen.chain(unclosed).chain(untold).chain(invisible).map(Error::from).collect()
}

/// Puts together what failed for the same reason.
fn alike<T>(failed: impl IntoIterator<Item = (T, SysError)>) -> impl Iterator<Item = (Vec<T>, SysError)> {
    let mut alike = BTreeMap::new();
    for (what, error) in failed {
        let reason = (error.to_string(), error.errno());
        alike.entry(reason).or_insert_with(|| (Vec::new(), error)).0.push(what);
    }
    alike.into_values()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(process: u32, number: Option<u64>) -> Place {
        Place { process, command: Some("nginx".to_owned()), number }
    }

    fn refused(call: &'static str, errno: i32) -> SysError {
        SysError::new("entering network namespaces", call, std::io::Error::from_raw_os_error(errno))
    }

    #[test]
    fn every_namespace_with_a_number_is_named() {
        let places: Vec<_> =
            (1..=9).map(|number| place(number, Some(4026532000 + u64::from(number)))).collect();
        let words = words(&places);
        for number in 1..=9 {
            assert!(
                words.contains(&format!("net:[402653200{number}] of process {number} (nginx)")),
                "{words}"
            );
        }
    }

    #[test]
    fn of_those_without_a_number_some_processes_are_named_and_all_are_counted() {
        let places: Vec<_> = (1..=9).map(|process| place(process, None)).collect();
        assert!(words(&places).ends_with("that of process 5 (nginx), those of 4 other processes"));
        assert!(words(&places[..6]).ends_with("that of process 5 (nginx), that of another process"));
        assert!(words(&places[..1]).ends_with("that of process 1 (nginx)"));
    }

    #[test]
    fn what_failed_for_one_reason_is_one_trouble() {
        let swept = Swept {
            unseen: vec![
                (place(1, Some(1)), refused("setns(2)", libc::EPERM)),
                (place(2, None), refused("stat(2)", libc::EACCES)),
                (place(3, Some(3)), refused("setns(2)", libc::EPERM)),
            ],
            unclosed: vec![refused("netlink(SOCK_DESTROY)", libc::EOPNOTSUPP)],
            untold: 7,
            ..Swept::default()
        };
        let troubles: Vec<_> = overlooked(swept, 2).iter().map(Error::with_causes).collect();
        assert_eq!(troubles.len(), 5, "{troubles:?}");
        assert!(
            troubles.iter().any(|text| text.contains("net:[1] of process 1 (nginx), net:[3] of process 3"))
        );
        assert!(troubles.iter().all(|text| text.contains("existing connections")));
    }
}
