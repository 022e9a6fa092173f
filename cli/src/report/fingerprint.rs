//! What tells one diagnostic from another over many runs: dashboards follow it while lines move and wordings
//! change.

use std::collections::HashMap;

use super::Report;
use super::checkout::Checkout;

/// A fingerprint for each report, no two alike: a blake3 of code, file, policy and the text that is meant,
/// and, where several have all of these in common, how many came before.
pub(crate) fn of_all(reports: &[Report], checkout: &Checkout) -> Vec<String> {
    let mut seen: HashMap<blake3::Hash, u64> = HashMap::new();
    let mut fingerprint = |report| {
        let content = content(report, checkout);
        let earlier = seen.entry(content).or_default();
        let mut hasher = blake3::Hasher::new();
        hasher.update(content.as_bytes()).update(&earlier.to_be_bytes());
        *earlier += 1;
        hasher.finalize().to_hex().to_string()
    };
    reports.iter().map(&mut fingerprint).collect()
}

fn content(report: &Report, checkout: &Checkout) -> blake3::Hash {
    let file = report.primary.as_ref().map(|label| checkout.path(&label.at.place.file)).unwrap_or_default();
    let policy = report.policy.as_ref().map(ToString::to_string).unwrap_or_default();
    let quoted = report.primary.as_ref().and_then(|label| label.at.quote.as_ref()).map(|quote| quote.text());
    let mut hasher = blake3::Hasher::new();
    for part in [report.code.as_str(), &file, &policy, quoted.unwrap_or_default()] {
        // With its length before it, no part can end in another's beginning.
        hasher.update(&part.len().to_be_bytes()).update(part.as_bytes());
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn fingerprints(reports: &[Report]) -> Vec<String> {
        of_all(reports, &Checkout::default())
    }

    #[test]
    fn a_move_to_another_line_changes_nothing() {
        let before = example::report("a.yaml", "port: \"0\"\n", "\"0\"");
        let after = example::report("a.yaml", "# a note\nport: \"0\"\n", "\"0\"");
        assert_eq!(fingerprints(&[before]), fingerprints(&[after]));
    }

    #[test]
    fn file_and_text_tell_apart_and_equals_are_counted() {
        let reports = [
            example::report("a.yaml", "port: \"0\"\n", "\"0\""),
            example::report("a.yaml", "port: \"0\"\n", "\"0\""),
            example::report("b.yaml", "port: \"0\"\n", "\"0\""),
            example::report("a.yaml", "port: \"0\"\n", "port"),
        ];
        let mut all = fingerprints(&reports);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), reports.len());
    }
}
