use serde_json::json;

use super::*;

const YAML: &str = r#"
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata:
    name: a
    namespace: default
    uid: 7e0e8d2e-0000-4000-8000-000000000001
    labels: {app: x, version: "1.10"}
    managedFields: [{manager: kubectl, fieldsV1: {"f:metadata": {}}}]
  spec:
    nodeName: n1
    containers:
    - name: main
      ports:
      - {containerPort: 53, name: dns, protocol: UDP}
      - {containerPort: 8080}
      - {containerPort: 38412, protocol: SCTP}
  status:
    phase: Running
    conditions:
    - {type: Initialized, status: "True"}
    - {type: Ready, status: "True"}
    podIP: 10.0.0.1
    podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: c, namespace: default}
---
apiVersion: v1
kind: Service
metadata: {name: s, namespace: default}
spec:
  type: ClusterIP
  clusterIP: 10.96.0.1
  clusterIPs: [10.96.0.1]
  ports:
  - {port: 53, protocol: UDP, targetPort: dns, name: dns}
  - {port: 80}
---
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {pool: blue}}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}, {type: Hostname, address: n1}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: default}
---
"#;

fn read(texts: &[&str]) -> Inventory {
    let mut builder = Builder::default();
    for (number, text) in texts.iter().enumerate() {
        builder.add(&format!("file{number}"), text).unwrap();
    }
    builder.build()
}

fn problems(inventory: &Inventory) -> Vec<String> {
    inventory.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn a_dump_in_yaml() {
    let inventory = read(&[YAML]);
    assert_eq!((problems(&inventory), inventory.ignored()), (vec![], 1));
    let pod = &inventory.pods()[0];
    assert_eq!(pod.reference.to_string(), "default/a");
    assert_eq!(pod.reference.uid.as_deref(), Some("7e0e8d2e-0000-4000-8000-000000000001"));
    assert_eq!(pod.labels["version"], "1.10");
    assert!(pod.ready && !pod.terminating && !pod.finished && !pod.host_network);
    assert_eq!(pod.addresses, ["10.0.0.1", "fd00::1"].map(|ip| ip.parse::<std::net::IpAddr>().unwrap()));
    let ports: Vec<_> =
        pod.ports.iter().flatten().map(|port| (port.port.get(), port.name.as_deref())).collect();
    assert_eq!(ports, [(53, Some("dns")), (8080, None)]);
    let service = inventory.service("default", "s").unwrap();
    assert_eq!(service.ports[0].target, TargetPort::Name("dns".into()));
    assert_eq!(service.ports[1].target, TargetPort::Number(service.ports[1].port));
    assert_eq!(inventory.node("n1").unwrap().addresses.len(), 1);
    assert_eq!(inventory.namespaces().collect::<Vec<_>>(), ["default"]);
    assert_eq!(inventory.pods_on("n1", "default").count(), 1);
    assert_eq!(inventory.pods_on("n1", "other").count(), 0);
    assert_eq!(inventory.pods_on("n2", "default").count(), 0);
}

/// The same objects, whatever form the dump has.
#[test]
fn every_form_of_a_dump() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "default"}});
    let mut bare = pod.clone();
    bare.as_object_mut().unwrap().retain(|key, _| key == "metadata");
    let expected = read(&[&pod.to_string()]);
    for (form, text) in [
        ("list", json!({"apiVersion": "v1", "kind": "List", "items": [pod]}).to_string()),
        ("kubectl's order", format!(r#"{{"apiVersion":"v1","items":[{pod}],"kind":"List"}}"#)),
        ("typed list", format!(r#"{{"kind":"PodList","apiVersion":"v1","items":[{bare}]}}"#)),
        ("array", json!([pod]).to_string()),
        ("documents", format!("\n{pod}\n")),
        ("byte order mark", format!("\u{feff}  {pod}")),
        ("YAML around JSON", format!("---\n{pod}\n---\n")),
        (
            "YAML with a mark",
            "\u{feff}apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: default}\n".into(),
        ),
        ("CRLF", "apiVersion: v1\r\nkind: Pod\r\nmetadata: {name: a, namespace: default}\r\n".into()),
        ("no items", format!("{{\"kind\":\"List\",\"items\":null}}\n{pod}")),
    ] {
        let inventory = read(&[&text]);
        assert_eq!((inventory.pods(), problems(&inventory)), (expected.pods(), vec![]), "{form}");
    }
    assert!(read(&["", "# nothing\n", "---\n---\n"]).pods().is_empty());
}

/// A broken object is named and skipped, in the words of Kubernetes; those around it are kept.
#[test]
fn broken_objects_are_named() {
    let text = r#"
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: default}, spec: {containers: [{ports: [{containerPort: 0}]}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: default, labels: [x]}}
- {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: default, labels: {x: 1}}}
- {apiVersion: v1, kind: Pod, metadata: {name: c, namespace: default}, spec: {containers: [{}, {ports: [{containerPort: http}]}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: d, namespace: default}, spec: {containers: [{ports: [{name: http}]}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: e, namespace: default}, spec: {containers: {ports: []}}}
- {apiVersion: v1, kind: Pod, metadata: {name: f, namespace: default}, status: {conditions: [{type: Ready, status: true}]}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: default}}
- {apiVersion: v1, kind: Pod, metadata: {name: c}}
- {apiVersion: v1, kind: Pod}
- {apiVersion: v1, kind: Service, metadata: {name: s, namespace: default}, spec: {ports: [{port: 70000}]}}
- {apiVersion: v1, kind: Service, metadata: {name: s, namespace: default}, spec: {ports: [{port: 1, targetPort: -1}]}}
- {apiVersion: v1, kind: Service, metadata: {name: s, namespace: default}, spec: {ports: [{port: 1, nodePort: x}]}}
- {apiVersion: v1, kind: Service, metadata: {name: s, namespace: default}, spec: text}
- {apiVersion: v1, kind: Node, metadata: {name: ""}}
- 7
- {apiVersion: v1, kind: Node, metadata: {name: n1}}
"#;
    let inventory = read(&[text]);
    assert_eq!(inventory.nodes().len(), 1);
    assert_eq!(
        problems(&inventory),
        [
            "file0: Pod `default/a` is skipped: `spec.containers[0].ports[0].containerPort` is 0, which is no port",
            "file0: Pod `default/b` is skipped: `metadata.labels` is not an object",
            "file0: Pod `default/b` is skipped: `metadata.labels.x` is not a string",
            "file0: Pod `default/c` is skipped: `spec.containers[1].ports[0].containerPort` is not a number",
            "file0: Pod `default/d` is skipped: `spec.containers[0].ports[0].containerPort` is missing",
            "file0: Pod `default/e` is skipped: `spec.containers` is not a list",
            "file0: Pod `default/f` is skipped: `status.conditions[0].status` is not a string",
            "file0: a Pod of namespace `default` is skipped: `metadata.name` is missing",
            "file0: Pod `c` is skipped: `metadata.namespace` is missing",
            "file0: a Pod is skipped: `metadata` is missing",
            "file0: Service `default/s` is skipped: `spec.ports[0].port` is 70000, which is no port",
            "file0: Service `default/s` is skipped: `spec.ports[0].targetPort` is -1, which is no port",
            "file0: Service `default/s` is skipped: `spec.ports[0].nodePort` is not a number",
            "file0: Service `default/s` is skipped: `spec` is not an object",
            "file0: a Node is skipped: `metadata.name` is missing",
        ]
    );
}

/// Of two objects with one name the later counts, and it is said.
#[test]
fn one_name_twice() {
    let pod = |node| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: a, namespace: d}}, spec: {{nodeName: {node}}}}}"
        )
    };
    let inventory = read(&[&format!("---\n{}", pod("n1")), &format!("---\n{}", pod("n2"))]);
    assert_eq!(inventory.pods()[0].node.as_deref(), Some("n2"));
    assert_eq!(problems(&inventory), ["file1: Pod `d/a` is given twice; the later one counts"]);
}

/// What is no dump is refused with its place; documents around a wrong one are kept.
#[test]
fn text_that_is_no_dump() {
    let refused = |text: &str| {
        let mut builder = Builder::default();
        let error = builder.add("dump", text).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        (builder.build(), error.to_string(), source)
    };
    let (_, message, place) = refused("{\"kind\": \"List\",\n \"items\": [}");
    assert_eq!(message, "dump: not JSON that holds Kubernetes objects");
    assert!(place.contains("line 2"), "{place}");
    let node = "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n";
    let (inventory, message, place) = refused(&format!("{node}---\na: [\n"));
    assert_eq!(
        (inventory.nodes().len(), message.as_str()),
        (1, "dump: not YAML that holds Kubernetes objects")
    );
    assert!(place.contains("line"), "{place}");
    let (inventory, _, _) = refused(&format!("just text\n---\n{node}"));
    assert_eq!(inventory.nodes().len(), 1);
}

/// Kinds of other groups share names with ours and are none.
#[test]
fn other_groups_are_ignored() {
    let inventory =
        read(&["apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s, namespace: d}\n"]);
    assert_eq!((inventory.services().len(), inventory.ignored()), (0, 1));
}
