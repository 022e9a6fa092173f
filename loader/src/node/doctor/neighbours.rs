//! Who else is on the hooks, on the cgroup itself, above it and below it, and who else redirects.

use std::collections::BTreeMap;

use lrpc_schema::records::Hook;

use super::{Check, Verdict, failed};
use crate::kernel::cgroup::{Cgroup, NoCgroup};
use crate::kernel::cilium::local_redirects;
use crate::kernel::hooks::{Stranger, Turn, holder, ids, strangers};
use crate::kernel::pods::below;
use crate::node::error::programs;
use crate::node::loaded::{Found, Loaded};
use crate::node::{Error, Node};

const NAME: &str = "hooks";

/// How many frontends of another owner a line names.
const NAMED: usize = 5;

/// What to do about programs that run before ours where they need not.
const FIRST: &str = "on a kernel with an order of programs (6.16; Debian's 6.12), `lrpc unload` and apply again; else name a cgroup below theirs by --cgroup";

/// Where a cgroup is, seen from the redirected one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Above,
    Same,
    Below,
}

impl Node {
    /// A line for each cgroup with programs of others, and for each turn that they take.
    pub(super) fn neighbours(&self, cgroup: &Cgroup) -> Result<Vec<Check>, Error> {
        if let Some(holder) = holder(cgroup)? {
            return Ok(vec![failed(NAME, &Error::Held(holder))]);
        }
        let reader = self.reader()?;
        let mut ours = BTreeMap::new();
        let mut has_services = false;
        if let Some(reader) = &reader {
            for hook in Hook::ALL {
                ours.insert(hook, ids(reader, hook)?);
            }
            let found = Found::read(reader)?;
            let record = found.loaded().and_then(|loaded| Loaded::record(loaded).ok().flatten());
            has_services = record.is_some_and(|record| record.services);
        }
        let mut checks = Vec::new();
        let ancestors = cgroup.ancestors();
        let above = ancestors.iter().skip(1).map(|path| (Level::Above, path.clone()));
        let below = below(cgroup.path())?.into_iter().map(|path| (Level::Below, path));
        for (level, path) in above.chain([(Level::Same, cgroup.path().to_owned())]).chain(below) {
            let other = match Cgroup::open(&path) {
                Ok(other) => other,
                // It went while it was looked for.
                Err(NoCgroup::Refused(error)) if error.errno() == Some(libc::ENOENT) => continue,
                Err(error) => return Err(error.into()),
            };
            let lower = if level == Level::Below { &other } else { cgroup };
            let found = match strangers(&other, lower, &ours) {
                Err(error) if level == Level::Below && error.errno() == Some(libc::ENODEV) => continue,
                found => found?,
            };
            let place = path.display().to_string();
            checks.extend(lines(level, &place, &found, has_services));
        }
        if checks.is_empty() {
            checks.push(Check::ok(NAME, "no other program"));
        }
        Ok(checks)
    }

    /// Whether Cilium redirects to local pods on this node, too; nothing to say where it has no tables here.
    pub(super) fn other_owner(&self) -> Option<Check> {
        let name = "cilium";
        let fix =
            "remove Cilium's own local redirect policies, or switch its feature off, where lrpc carries them";
        match local_redirects(&self.bpffs) {
            Ok(None) => None,
            Ok(Some(found)) if found.is_empty() => Some(Check::ok(
                name,
                "Cilium balances Services here, and redirects none to local pods itself",
            )),
            Ok(Some(found)) => {
                let named: Vec<_> = found.iter().take(NAMED).map(ToString::to_string).collect();
                let more = if found.len() > NAMED { " and others" } else { "" };
                let what = format!(
                    "Cilium redirects to local pods itself, so that there are two owners: {}{more}",
                    named.join(", ")
                );
                Some(Check::new(name, Verdict::Warn, what, fix))
            }
            Err(error) => Some(Check::new(
                name,
                Verdict::Warn,
                format!("not checked: {error}"),
                "`cilium-dbg lrp list` says what it redirects",
            )),
        }
    }
}

/// What there is to say of the programs on one cgroup.
fn lines(level: Level, place: &str, found: &[Stranger], has_services: bool) -> Vec<Check> {
    let place = match level {
        Level::Above => format!("above, on `{place}`"),
        Level::Same => format!("on `{place}`"),
        Level::Below => format!("below, on `{place}`"),
    };
    let mut checks = Vec::new();
    for (turn, when) in [(Turn::Before, " before ours"), (Turn::Behind, " behind ours"), (Turn::Alone, "")] {
        let some: Vec<_> = found.iter().filter(|stranger| stranger.turn == turn).collect();
        if some.is_empty() {
            continue;
        }
        let named: Vec<_> =
            some.iter().map(|stranger| format!("`{}` on {}", stranger.program, stranger.hook)).collect();
        let what = format!("{}{when} {place}: {}", programs(some.len()), named.join(", "));
        checks.push(match (turn, level) {
            (Turn::Behind | Turn::Alone, _) => Check::ok(NAME, what),
            (Turn::Before, Level::Below) => Check::new(
                NAME,
                Verdict::Warn,
                what,
                "look whether it rewrites a Service's address: there, ours then never meets it",
            ),
            (Turn::Before, Level::Same | Level::Above) => {
                let verdict = if has_services { Verdict::Fail } else { Verdict::Warn };
                Check::new(NAME, verdict, what, FIRST)
            }
        });
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_before_ours_is_worse_where_services_are_redirected() {
        let stranger = |turn| Stranger { hook: Hook::Connect6, program: "lb (id 7)".to_owned(), turn };
        let verdicts = |level, turn, has_services| -> Vec<_> {
            lines(level, "/c", &[stranger(turn)], has_services).iter().map(|check| check.verdict).collect()
        };
        assert_eq!(verdicts(Level::Same, Turn::Before, true), [Verdict::Fail]);
        assert_eq!(verdicts(Level::Same, Turn::Before, false), [Verdict::Warn]);
        assert_eq!(verdicts(Level::Below, Turn::Before, true), [Verdict::Warn]);
        assert_eq!(verdicts(Level::Above, Turn::Behind, true), [Verdict::Ok]);
        let both = lines(Level::Same, "/c", &[stranger(Turn::Before), stranger(Turn::Behind)], true);
        let said: Vec<_> = both.iter().map(|check| check.found.as_str()).collect();
        assert_eq!(
            said,
            [
                "1 program before ours on `/c`: `lb (id 7)` on connect6",
                "1 program behind ours on `/c`: `lb (id 7)` on connect6"
            ]
        );
        assert_eq!(lines(Level::Same, "/c", &[], true), []);
    }
}
