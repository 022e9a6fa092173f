//! Whether what is loaded acts: the kernel is asked which programs run for the cgroup and for its pods, and a process
//! in a cgroup for a moment connects to the reserved frontends.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use lrpc_schema::records::Hook;

use super::{Check, Verdict, failed};
use crate::kernel::cgroup::{Cgroup, NoCgroup};
use crate::kernel::hooks::{ids, ineffective};
use crate::kernel::pods::pods;
use crate::kernel::scratch::Scratch;
use crate::kernel::sys::SysError;
use crate::node::loaded::{Found, Loaded};
use crate::node::{Error, Node};
use crate::probe::{Answer, Family};

const EFFECTIVE: &str = "effective";
const ANSWERS: &str = "answers";

/// What to do where ours do not run.
const AGAIN: &str = "`lrpc status` says what differs; `lrpc apply` again mends it";

/// How many pods a line names.
const NAMED: usize = 3;

/// The self-connect was not made, or says nothing, and why.
struct NotChecked(String);

impl Node {
    /// The lines about what is loaded; none where nothing is.
    pub(super) fn effect(&self, cgroup: &Cgroup, asker: &dyn Fn() -> Command) -> Result<Vec<Check>, Error> {
        let Some(reader) = self.reader()? else { return Ok(Vec::new()) };
        let found = Found::read(&reader)?;
        let Some(loaded) = found.loaded() else { return Ok(Vec::new()) };
        let mut ours = BTreeMap::new();
        for hook in Hook::ALL {
            ours.insert(hook, ids(&reader, hook)?);
        }
        // The lock of `reader` keeps the generation that is asked active until the answer is there.
        Ok(vec![effective(cgroup, &ours)?, answers(cgroup, loaded, asker)])
    }
}

/// Whether a program of ours runs for every hook, on the cgroup and on every pod's.
fn effective(cgroup: &Cgroup, ours: &BTreeMap<Hook, Vec<u32>>) -> Result<Check, Error> {
    let listed = |hooks: &[Hook]| hooks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let fail = |what: String| Ok(Check::new(EFFECTIVE, Verdict::Fail, what, AGAIN));
    let missing = ineffective(cgroup, ours)?;
    if !missing.is_empty() {
        let place = cgroup.path().display();
        return fail(format!("no program of lrpc runs on `{place}` for {}", listed(&missing)));
    }
    let (mut checked, mut without) = (0_usize, Vec::new());
    for path in pods(cgroup.path())? {
        let missing = match Cgroup::open(&path) {
            Ok(pod) => ineffective(&pod, ours),
            Err(NoCgroup::Refused(error)) => Err(error),
            Err(error) => return Err(error.into()),
        };
        match missing {
            Ok(missing) => {
                checked += 1;
                if !missing.is_empty() {
                    without.push(format!("`{}` ({})", path.display(), listed(&missing)));
                }
            }
            // It ended while it was looked at.
            Err(error) if matches!(error.errno(), Some(libc::ENOENT | libc::ENODEV)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if !without.is_empty() {
        let named: Vec<_> = without.iter().take(NAMED).map(String::as_str).collect();
        let what =
            format!("no program of lrpc runs for {} of {checked} pods: {}", without.len(), named.join(", "));
        return fail(what);
    }
    let pods = match checked {
        0 => "; no pod is below it".to_owned(),
        1 => " and for its pod".to_owned(),
        several => format!(" and for its {several} pods"),
    };
    Ok(Check::ok(EFFECTIVE, format!("programs of lrpc run for all {} hooks{pods}", Hook::ALL.len())))
}

/// Whether the active generation answers a process below the cgroup.
fn answers(cgroup: &Cgroup, loaded: &Loaded, asker: &dyn Fn() -> Command) -> Check {
    let asked = match has_test_rows(loaded) {
        Ok(None) => ask(cgroup, asker),
        Ok(Some(why)) => Err(NotChecked(why)),
        Err(error) => return failed(ANSWERS, &error.into()),
    };
    match asked.and_then(|answers| judged(&answers)) {
        Ok(check) => check,
        Err(NotChecked(why)) => {
            let fix = "run as root on the node, or connect from a pod to a frontend and look";
            Check::new(ANSWERS, Verdict::Warn, format!("not checked: {why}"), fix)
        }
    }
}

/// Why the active generation cannot be asked, where it has not both test rows.
fn has_test_rows(loaded: &Loaded) -> Result<Option<String>, SysError> {
    let Some(active) = loaded.active() else {
        return Ok(Some("what the cell names is not resident".to_owned()));
    };
    for family in Family::ALL {
        let (key, value) = family.row();
        match active.tables.frontend(&key)? {
            Some(found) if found == value => {}
            Some(_) => return Ok(Some(format!("a policy redirects {}", family.frontend()))),
            None => return Ok(Some("the active generation has no test row: apply it again".to_owned())),
        }
    }
    Ok(None)
}

/// What a process in a cgroup for a moment finds.
fn ask(cgroup: &Cgroup, asker: &dyn Fn() -> Command) -> Result<Vec<(Family, Answer)>, NotChecked> {
    let told = |error: SysError| NotChecked(Error::from(error).with_causes());
    let scratch = Scratch::make(cgroup.path()).map_err(told)?;
    let answers = Asker::start(asker).and_then(|asker| {
        scratch.admit(asker.child.id()).map_err(told)?;
        asker.answers()
    });
    scratch.remove().map_err(told)?;
    answers
}

/// The process that asks; it is ended and waited for when it is dropped.
struct Asker {
    child: Child,
}

impl Asker {
    fn start(asker: &dyn Fn() -> Command) -> Result<Self, NotChecked> {
        let started = asker().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let child = started.map_err(|error| NotChecked(format!("no process can be started: {error}")))?;
        Ok(Self { child })
    }

    /// Tells it that it is where it is to be, and takes its answers.
    fn answers(mut self) -> Result<Vec<(Family, Answer)>, NotChecked> {
        let (Some(mut orders), Some(mut out)) = (self.child.stdin.take(), self.child.stdout.take()) else {
            return Err(NotChecked("the process that asks has no pipes".to_owned()));
        };
        let mut said = String::new();
        let exchange = orders.write_all(b"ask\n").and_then(|()| {
            drop(orders);
            out.read_to_string(&mut said)
        });
        exchange.map_err(|error| NotChecked(format!("the process that asks says nothing: {error}")))?;
        serde_json::from_str(&said).map_err(|_| NotChecked("the process that asks says nothing".to_owned()))
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the answers come to. A family without a loopback here says nothing; where both have none, nothing is checked.
fn judged(answers: &[(Family, Answer)]) -> Result<Check, NotChecked> {
    let is_absent = |answer: &Answer| matches!(answer, Answer::Absent(_));
    let (absent, present): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, answer)| is_absent(answer));
    let told = |answers: &[&(Family, Answer)]| -> Vec<String> {
        answers.iter().filter_map(|(family, answer)| family.amiss(answer)).collect()
    };
    let (amiss, unasked) = (told(&present), told(&absent));
    if !amiss.is_empty() {
        return Ok(Check::new(ANSWERS, Verdict::Fail, amiss.join("; "), AGAIN));
    }
    if present.is_empty() {
        return Err(NotChecked(unasked.join("; ")));
    }
    let families: Vec<_> = present.iter().map(|(family, _)| family.to_string()).collect();
    let what =
        format!("the active generation answers a process below the cgroup by {}", families.join(" and "));
    Ok(match unasked.is_empty() {
        true => Check::ok(ANSWERS, what),
        false => Check::ok(ANSWERS, format!("{what}; not checked: {}", unasked.join("; "))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_both_hooks_did_is_an_answer() {
        let connected = |peer: &str, source: &str| Answer::Connected {
            peer: peer.parse().unwrap(),
            source: source.parse().unwrap(),
        };
        let absent = || Answer::Absent("no such family".to_owned());
        let four = |answer| (Family::V4, answer);
        let verdict = |answers: &[(Family, Answer)]| judged(answers).ok().map(|check| check.verdict);
        let good = connected("192.0.0.8:1", "127.0.0.1:5");
        let six = (Family::V6, connected("[100::8]:1", "[::1]:5"));
        assert_eq!(verdict(&[four(good.clone()), six.clone()]), Some(Verdict::Ok));
        assert_eq!(verdict(&[four(good), (Family::V6, absent())]), Some(Verdict::Ok));
        assert_eq!(verdict(&[four(absent()), (Family::V6, absent())]), None);
        for bad in [connected("192.0.0.8:1", "10.0.0.7:5"), connected("127.0.0.1:9", "127.0.0.1:5")] {
            assert_eq!(verdict(&[four(bad), six.clone()]), Some(Verdict::Fail));
        }
        assert_eq!(verdict(&[four(Answer::Failed("no route".to_owned()))]), Some(Verdict::Fail));
    }
}
