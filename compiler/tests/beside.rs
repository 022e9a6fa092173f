//! Policies against the pod templates and Services that lie beside them: what is found is in the golden case
//! `check-beside`; here is where nothing may be said.

mod support;

use lrpc_compiler::Options;
use support::checked;

const POLICY: &str = "apiVersion: cilium.io/v2
kind: CiliumLocalRedirectPolicy
metadata: {name: cache, namespace: dns}
spec:
  redirectFrontend:
    addressMatcher: {ip: 192.0.2.53, toPorts: [{port: '53', protocol: UDP}]}
  redirectBackend:
    localEndpointSelector: {matchLabels: {app: cache}}
    toPorts: [{port: '53', protocol: UDP}]
";

fn pod(kind: &str, namespace: &str, label: &str, ports: &str) -> String {
    let pod = format!(
        "metadata: {{labels: {{app: {label}}}}}, spec: {{containers: [{{name: c, ports: [{ports}]}}]}}"
    );
    let (api, spec) = match kind {
        "Pod" => {
            return format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: x, namespace: {namespace}, labels: {{app: {label}}}}}\n\
                 spec: {{containers: [{{name: c, ports: [{ports}]}}]}}\n"
            );
        }
        "Job" => ("batch/v1", format!("{{template: {{{pod}}}}}")),
        "CronJob" => ("batch/v1", format!("{{jobTemplate: {{spec: {{template: {{{pod}}}}}}}}}")),
        _ => ("apps/v1", format!("{{template: {{{pod}}}}}")),
    };
    format!("apiVersion: {api}\nkind: {kind}\nmetadata: {{name: x, namespace: {namespace}}}\nspec: {spec}\n")
}

fn codes(files: &[(&str, &str)]) -> Vec<String> {
    let found = checked(files, &Options::default()).diagnostics;
    found.iter().map(|found| found.code.to_string()).collect()
}

/// What is found in one file behind the policy.
fn beside(text: &str) -> String {
    codes(&[("a.yaml", &format!("{POLICY}---\n{text}"))]).join(" ")
}

const GOOD: &str = "{containerPort: 53, protocol: UDP}";

#[test]
fn every_kind_that_makes_pods_is_read() {
    for kind in ["Pod", "DaemonSet", "Deployment", "StatefulSet", "ReplicaSet", "Job", "CronJob"] {
        assert_eq!(beside(&pod(kind, "dns", "cache", GOOD)), "", "{kind}");
        assert_eq!(beside(&pod(kind, "dns", "cash", GOOD)), "selector-matches-no-template", "{kind}");
        assert_eq!(
            beside(&pod(kind, "dns", "cache", "{containerPort: 53}")),
            "template-port-protocol",
            "{kind}"
        );
        let missing = "{containerPort: 54, protocol: UDP}";
        assert_eq!(beside(&pod(kind, "dns", "cache", missing)), "template-port-missing", "{kind}");
        assert_eq!(
            beside(&pod(kind, "dns", "cache", "")),
            "",
            "{kind}: without ports, names do not count (R10)"
        );
    }
}

#[test]
fn what_is_not_there_is_not_missed() {
    for text in [
        "",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
        &pod("DaemonSet", "other", "else", GOOD),
        &pod("DaemonSet", "dns", "'{{ .Values.app }}'", GOOD),
        &pod("Rollout", "dns", "else", GOOD),
        "apiVersion: apps/v1\nkind: DaemonSet\n",
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: [x]}\nspec: {template: [a, {b: c}]}\n",
    ] {
        assert_eq!(beside(text), "", "{text}");
    }
    // One that serves is enough, whatever others of the same labels declare.
    let both = format!(
        "{}---\n{}",
        pod("Pod", "dns", "cache", "{containerPort: 1}"),
        pod("Job", "dns", "cache", GOOD)
    );
    assert_eq!(beside(&both), "");
    // A Service of these labels shows that the pods come from elsewhere.
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: dns}\nspec: {selector: {app: cache}}\n";
    assert_eq!(beside(&format!("{}---\n{service}", pod("Pod", "dns", "else", GOOD))), "");
    // Without a namespace whoever applies it decides.
    let anywhere = pod("DaemonSet", "dns", "cache", GOOD).replace(", namespace: dns", "");
    assert_eq!(beside(&anywhere), "");
}

/// The folders of a repository: a template elsewhere is another's, unless its labels are nearly these.
#[test]
fn folders_beside_each_other_are_apart() {
    let other = pod("DaemonSet", "dns", "storefront", GOOD);
    let slip = pod("DaemonSet", "dns", "cahce", GOOD);
    let of =
        |policy: &str, template: &str, text: &str| codes(&[(policy, POLICY), (template, text)]).join(" ");
    assert_eq!(of("r/a/p.yaml", "r/b/w.yaml", &other), "");
    assert_eq!(of("r/a/p.yaml", "r/b/w.yaml", &slip), "selector-matches-no-template");
    for template in ["r/a/w.yaml", "r/w.yaml", "r/a/below/w.yaml"] {
        assert_eq!(of("r/a/p.yaml", template, &other), "selector-matches-no-template", "{template}");
    }
}

#[test]
fn a_comment_allows_it() {
    let allowed = POLICY.replace(
        "{matchLabels: {app: cache}}",
        "{matchLabels: {app: cache}} # lrpc: allow(selector-matches-no-template) a chart brings the pods",
    );
    let text = format!("{allowed}---\n{}", pod("Pod", "dns", "else", GOOD));
    assert_eq!(codes(&[("a.yaml", &text)]), [""; 0]);
}

/// A policy that Kustomize patches is an error to be rendered first; a patch of another kind is no matter.
#[test]
fn kustomize_patches_of_policies_are_found() {
    let partial =
        "apiVersion: cilium.io/v2\nkind: CiliumLocalRedirectPolicy\nmetadata: {name: cache}\nspec: {}\n";
    let found = |kustomization: &str, patch: &str| {
        let files = [
            ("k/base/p.yaml", POLICY),
            ("k/over/kustomization.yaml", kustomization),
            ("k/over/x.yaml", patch),
        ];
        codes(&files).join(" ")
    };
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n";
    for list in [
        "patches: [{path: x.yaml}]",
        "patchesStrategicMerge: [x.yaml]",
        "patches: [{path: ../over/./x.yaml}]",
    ] {
        assert_eq!(found(list, partial), "kustomize-patch", "{list}");
        assert_eq!(found(list, deployment), "", "{list}");
    }
    let target = "patches: [{target: {kind: CiliumLocalRedirectPolicy}, patch: '[]'}]";
    assert_eq!(found(target, deployment), "kustomize-patch");
    assert_eq!(
        found("patchesStrategicMerge: [\"kind: CiliumLocalRedirectPolicy\\nspec: {}\"]", ""),
        "kustomize-patch"
    );
    assert_eq!(found("resources: [../base]", ""), "");
}
