//! What one value or one object shows by itself, with the caret under it.

mod support;

use support::{ADDRESS, SERVICE, address, codes, report};

#[test]
fn the_guides_policies_are_right() {
    assert_eq!(report(ADDRESS), "");
    assert_eq!(report(SERVICE), "");
}

#[test]
fn a_port_without_quotes_is_a_wrong_type() {
    assert_eq!(
        report(&address("\"8080\"", "8080")),
        r#"a.yaml:11:17-11:21: error[wrong-type] `spec.redirectFrontend.addressMatcher.toPorts[0].port` must be a string, not an integer
  of default/redirect
  a.yaml:11:17-11:21 "8080" this is an integer
  help: put it in quotes: `"8080"`
"#
    );
}

#[test]
fn an_unknown_field_names_the_nearest_one() {
    assert_eq!(
        report(&address("localEndpointSelector", "localEndpointSelectors")),
        r#"a.yaml:13:3-13:18: error[missing-field] `spec.redirectBackend.localEndpointSelector` is missing
  of default/redirect
  a.yaml:13:3-13:18 "redirectBackend" the field belongs in here
  help: add it, for example `localEndpointSelector: {matchLabels: {app: agent}}`
a.yaml:14:5-14:27: error[unknown-field] `spec.redirectBackend` has no field `localEndpointSelectors`
  of default/redirect
  a.yaml:14:5-14:27 "localEndpointSelectors" unknown field
  help: did you mean `localEndpointSelector`?
"#
    );
}
