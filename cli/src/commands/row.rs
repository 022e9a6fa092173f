//! One frontend of a node in one line, as `link` and `dump` print it for people.

use std::fmt::Write as _;
use std::net::SocketAddr;

use lrpc_linker::mapset::ShownRow;

/// Frontend, what happens, and by whose wish.
pub(crate) fn render(row: &ShownRow) -> String {
    let mut text = format!("{}/{}  {}", SocketAddr::new(row.address, row.port), row.protocol, row.state);
    for backend in &row.backends {
        // Writing to a `String` cannot fail, here and below.
        let _ = write!(text, "  {}", SocketAddr::new(backend.address, backend.port));
        if let Some(pods) = &backend.pods {
            let _ = write!(text, " ({})", pods.join(", "));
        }
    }
    if let Some(reason) = &row.reason {
        let _ = write!(text, "  {reason}");
    }
    if let Some(policy) = &row.policy {
        let _ = write!(text, "  policy {policy}");
    }
    if let Some(service) = &row.service {
        let _ = write!(text, "  service {service}");
    }
    if let Some(skip) = row.skip.as_ref().filter(|skip| !skip.is_empty()) {
        let _ = write!(text, "  not from {}", skip.join(", "));
    }
    if let Some(clients) = row.clients.as_ref().filter(|clients| *clients != "all") {
        let _ = write!(text, "  clients {clients}");
    }
    text.push('\n');
    text
}
