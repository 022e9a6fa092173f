//! Policies for measurements: 0.65 kB each, 100 to a file, each with two named ports and a Service of its own.

use std::fmt::Write as _;
use std::path::Path;

use crate::repository::{Result, write};

/// Policies in one file.
const PER_FILE: usize = 100;

/// Writes `count` policies below `folder` and gives their bytes.
pub(crate) fn policies(folder: &Path, count: usize) -> Result<usize> {
    let mut bytes = 0;
    for (file, first) in (0..count).step_by(PER_FILE).enumerate() {
        let mut text = String::new();
        for number in first..count.min(first + PER_FILE) {
            policy(&mut text, number);
        }
        write(&folder.join(format!("policies-{file:05}.yaml")), text.as_bytes())?;
        bytes += text.len();
    }
    Ok(bytes)
}

fn policy(text: &mut String, number: usize) {
    let namespace = number / PER_FILE % 100;
    // Writing to a `String` cannot fail.
    let _ = write!(
        text,
        r#"---
apiVersion: cilium.io/v2
kind: CiliumLocalRedirectPolicy
metadata:
  name: redirect-{number:06}
  namespace: team-{namespace:03}
  labels:
    app.kubernetes.io/part-of: node-local-services
spec:
  redirectFrontend:
    serviceMatcher:
      serviceName: service-{number:06}
      namespace: team-{namespace:03}
      toPorts:
        - port: "{http}"
          protocol: TCP
          name: http
        - port: "{dns}"
          protocol: UDP
          name: dns
  redirectBackend:
    localEndpointSelector:
      matchLabels:
        app: proxy-{number:06}
    toPorts:
      - port: "8080"
        protocol: TCP
        name: http
      - port: "5353"
        protocol: UDP
        name: dns
"#,
        http = 1000 + number % 50_000,
        dns = 2000 + number % 50_000,
    );
}
