//! What each stage costs by itself, on one thread: `cargo bench -p lrpc-compiler`.
//!
//! The fastest of many rounds is printed, in microseconds for each policy; compare with another run on the
//! same machine and with nothing else. Nothing passes or fails.
#![expect(clippy::disallowed_methods, reason = "a bench is what asks for the time")]
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "the input is written below, and is right")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use lrpc_compiler::{Options, Parsed, Source, check, emit, parse};
use lrpc_schema::image::Image;

/// Policies in one file, and files.
const PER_FILE: usize = 100;
const FILES: usize = 10;
const ROUNDS: usize = 30;

fn main() {
    // `cargo test --benches` asks for one quick round.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { ROUNDS } else { 1 };
    let sources: Vec<Source> = (0..FILES).map(file).collect();
    let parsed = || -> Vec<Parsed> { sources.iter().map(parse).collect() };
    let plan = || check(parsed(), &Options::default()).plan.expect("the policies are sound");
    let image = emit(&plan(), false);
    let bytes = image.bytes().to_vec();

    println!(
        "{} policies, {} bytes of text, {} bytes of image",
        PER_FILE * FILES,
        text(&sources),
        bytes.len()
    );
    let stage = |name, fastest: Duration| {
        println!("{name:6} {:8.2} µs a policy", fastest.as_secs_f64() * 1e6 / (PER_FILE * FILES) as f64);
    };
    stage("parse", fastest(rounds, || (), |()| parsed()));
    stage("check", fastest(rounds, parsed, |parsed| check(parsed, &Options::default())));
    stage("emit", fastest(rounds, plan, |plan| emit(&plan, false)));
    stage("strip", fastest(rounds, plan, |plan| emit(&plan, true)));
    stage("decode", fastest(rounds, || bytes.clone(), Image::decode));
}

/// The least time that `run` took; what it is given is made, and what it gives is dropped, outside of it.
fn fastest<I, O>(rounds: usize, make: impl Fn() -> I, run: impl Fn(I) -> O) -> Duration {
    let round = || {
        let input = make();
        let begin = Instant::now();
        let output = black_box(run(black_box(input)));
        let took = begin.elapsed();
        drop(output);
        took
    };
    (0..rounds).map(|_| round()).min().unwrap_or_default()
}

fn text(sources: &[Source]) -> usize {
    sources.iter().map(|source| source.text().len()).sum()
}

fn file(number: usize) -> Source {
    let policies: String = (0..PER_FILE).map(|index| policy(number * PER_FILE + index)).collect();
    Source::new(format!("policies-{number}.yaml"), policies)
}

fn policy(number: usize) -> String {
    format!(
        r#"---
apiVersion: cilium.io/v2
kind: CiliumLocalRedirectPolicy
metadata:
  name: redirect-{number:06}
  namespace: default
spec:
  redirectFrontend:
    serviceMatcher:
      serviceName: service-{number:06}
      namespace: default
      toPorts:
        - port: "80"
          protocol: TCP
          name: http
        - port: "53"
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
"#
    )
}
