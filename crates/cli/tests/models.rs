//! `models`: what stands in a models folder, and whether it computes what it computed when it was written.

use bellwether_core::{Digest, Model, Node, Trees};
use expect_test::expect;
use serde_json::{Value, json};

use crate::support::{Folder, Run};

const VERIFICATION: i32 = 5;
const BUNDLE: &str = "models/small/1";
const GRAPH: &str = "churn_90d.onnx";

/// Numbers that follow from the machine or from releases of libraries, taken out.
fn redacted(text: &str) -> String {
    let is_number = |word: &str| word.starts_with(|first: char| first.is_ascii_digit());
    let is_digest = |word: &str| word.len() >= 12 && word.chars().all(|c| c.is_ascii_hexdigit());
    let word = |word: &str| {
        let bare = word.trim_end_matches([',', ';', ')']);
        let rest = &word[bare.len()..];
        match bare {
            _ if is_digest(bare) => format!("[DIGEST]{rest}"),
            _ if is_number(bare) => format!("[N]{rest}"),
            _ => word.to_owned(),
        }
    };
    let line = |line: &str| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).fold(String::new(), |text, line| text + &line + "\n")
}

#[test]
fn a_trained_bundle_is_verified_in_every_runtime() {
    let run = Folder::trained().run("models verify small@1").done();
    expect![[r#"
        models/small/1
        small, digest [DIGEST], a certificate of [N] rows, of which opening replays [N] in [N] ms in all
        the reasons of [N] rows, the same
        churn_90d native [N] logits, largest difference [N] of [N]; [N] leaves; [N] s
        churn_90d tract [N] logits, largest difference [N] of [N]; [N] leaves; [N] s
        expansion_90d native [N] logits, largest difference [N] of [N]; [N] leaves; [N] s
        expansion_90d tract [N] logits, largest difference [N] of [N]; [N] leaves; [N] s
        verified
        [N] of [N] verified
    "#]]
    .assert_eq(&redacted(&run.stdout));
    assert_eq!(run.stderr, "verifying models/small/1\n");
}

#[test]
fn all_versions_are_verified_where_none_is_named() {
    let told = Folder::trained().run("models verify --json").json();
    assert_eq!(told["audit_lines"], 1);
    let bundles = told["bundles"].as_array().expect("a list");
    assert_eq!((bundles.len(), &bundles[0]["error"], &bundles[0]["path"]), (1, &Value::Null, &json!(BUNDLE)));
    let graphs = bundles[0]["graphs"].as_array().expect("a list");
    let runtimes: Vec<&Value> = graphs.iter().map(|graph| &graph["runtime"]).collect();
    assert_eq!(runtimes, ["native", "tract", "native", "tract"]);
    for graph in graphs {
        assert!(graph["differing_logits"] == 0 && graph["differing_trees"] == json!([]), "{graph}");
        assert_eq!(graph["rows"], bundles[0]["rows"]);
    }
    assert_eq!(bundles[0]["rows_on_open"], bundles[0]["rows"]);
}

#[test]
fn versions_are_listed() {
    let run = Folder::trained().run("models list").done();
    let [version, digest, at, by] = run.stdout.split_whitespace().collect::<Vec<_>>()[..4] else {
        panic!("{}", run.stdout)
    };
    assert_eq!((version, digest.len(), by), ("small@1", 12, "by"));
    assert!(at.ends_with('Z'), "{at}");
}

#[test]
fn what_does_not_exist_is_named() {
    for (arguments, message) in [
        ("models verify small@7", "error: `models/small/7` is neither a bundle nor a name in a models folder"),
        ("models verify other", "error: `models/other` is neither a bundle nor a name in a models folder"),
        ("models verify --models book", "error: `book` is neither a bundle nor a name in a models folder"),
        ("models list --models none", "error: `none` is neither a bundle nor a name in a models folder"),
    ] {
        let run = Folder::trained().run(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""), "{arguments}");
        assert!(run.stderr.starts_with(message), "{arguments}: {}", run.stderr);
    }
}

/// Whether a forger also writes into the certificate which graph it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Certificate {
    AsItWas,
    OfTheForgedGraph,
}

/// A copy of the trained bundle in `forged`, with another graph and every digest put right.
fn forged(alter: impl Fn(&mut Model), certificate: Certificate) -> Folder {
    let folder = Folder::trained().copy();
    for (name, bytes) in folder.files(BUNDLE) {
        folder.write(&format!("forged/{name}"), bytes);
    }
    let file = |name: &str| std::fs::read(folder.path(&format!("forged/{name}"))).expect("a file of the bundle");
    let original = file(GRAPH);
    let graph = bellwether_onnx::decode(&original).expect("it was written");
    let mut model = graph.model;
    alter(&mut model);
    let schema: Value = serde_json::from_slice(&file("features.json")).expect("JSON");
    let encoding: bellwether_core::Encoding = serde_json::from_value(schema).expect("an encoding");
    let schema = encoding.schema().expect("names differ");
    let bytes = bellwether_onnx::encode(&model, &schema, &graph.target).expect("it can be written");
    assert!(bytes != original);
    let mut parity = file("parity.bin");
    if certificate == Certificate::OfTheForgedGraph {
        let [was, is] = [&original, &bytes].map(|graph| Digest::of(graph).to_bytes().expect("64 digits"));
        let at = parity.windows(32).position(|window| window == was).expect("it names the graph");
        parity[at..at + 32].copy_from_slice(&is);
    }
    let mut manifest: Value = serde_json::from_slice(&file("manifest.json")).expect("JSON");
    for (name, bytes) in [(GRAPH, bytes), ("parity.bin", parity)] {
        manifest["files"][name] = json!({ "bytes": bytes.len(), "sha256": Digest::of(&bytes) });
        folder.write(&format!("forged/{name}"), bytes);
    }
    let text = format!("{}\n", serde_json::to_string_pretty(&manifest).expect("JSON"));
    folder.write("forged/manifest.sha256", format!("{}  manifest.json\n", Digest::of(text.as_bytes())));
    folder.write("forged/manifest.json", text);
    folder
}

/// The first number that the graph decides by, changed.
fn one_ulp(model: &mut Model) {
    match model {
        Model::Trees(trees) => change_split(trees, |threshold, _| *threshold = threshold.next_up()),
        Model::Linear(linear) => {
            let term = linear.terms.iter_mut().find(|term| term.weight != 0.0).expect("a feature is read");
            term.weight = term.weight.next_up();
        }
        Model::Scorecard(card) => card.indicators[0].at_zero = card.indicators[0].at_zero.next_up(),
        Model::Graph(_) => panic!("it was trained"),
    }
}

/// Missing values go the other way, or count otherwise.
fn missing_flipped(model: &mut Model) {
    match model {
        Model::Trees(trees) => change_split(trees, |_, missing_left| *missing_left = !*missing_left),
        Model::Linear(linear) => {
            for term in &mut linear.terms {
                term.missing_weight = -term.missing_weight - 0.001;
            }
        }
        Model::Scorecard(card) => card.indicators[0].at_zero = card.indicators[0].at_zero.next_up(),
        Model::Graph(_) => panic!("it was trained"),
    }
}

fn change_split(trees: &mut Trees, change: impl Fn(&mut f32, &mut bool)) {
    let mut all = trees.trees().to_vec();
    // The root of a tree: every row arrives.
    let roots = all.iter_mut().filter_map(|tree| tree.nodes.first_mut());
    for node in roots {
        if let Node::Split { threshold, missing_left, .. } = node {
            change(threshold, missing_left);
            break;
        }
    }
    *trees = Trees::new(trees.n_features(), trees.base(), trees.link(), all).expect("still trees");
}

/// One more training row in some leaf: no score depends on it.
fn another_cover(model: &mut Model) {
    let Model::Trees(trees) = model else { panic!("the small book's churn is told by trees") };
    let covers = trees.covers().expect("training counted rows").to_vec();
    let altered = trees.trees().iter().zip(&covers).enumerate().map(|(tree, (of, covers))| {
        let first = of.nodes.iter().position(|node| matches!(node, Node::Leaf { .. }));
        of.covers(|at| covers[at] + f32::from(u8::from(tree == 0 && Some(at) == first)))
    });
    *trees = trees.clone().with_covers(altered.collect()).expect("covers add up");
}

#[test]
fn forged_reasons_are_refused_though_scores_are_the_same() {
    let folder = forged(another_cover, Certificate::OfTheForgedGraph);
    let of = |model: &str| format!("--book book/book.toml --model {model} --as-of 2024-06-30");
    let score = format!("score {} --out scores.csv", of("forged"));
    let explain = format!("explain {} --account c-000", of("forged"));
    for arguments in [&score, &explain, "models verify forged"] {
        let Run { code, stderr, .. } = folder.run(arguments);
        let told = "the sum that `churn_90d` expects is";
        assert!(code == Some(VERIFICATION) && stderr.contains(told), "{arguments}: {stderr}");
    }
    assert!(!folder.path("scores.csv").exists());
    // What reads no reasons is not held up by them, and is right.
    folder.run(&format!("{score} --reasons 0")).done();
    folder.run(&format!("score {} --reasons 0 --out original.csv", of("models/small"))).done();
    let numbers = |name: &str| -> Vec<String> {
        let without_digest = |line: &str| line.rsplit_once(',').map(|(numbers, _)| numbers.to_owned());
        folder.read(name).lines().filter_map(without_digest).collect()
    };
    assert_eq!(numbers("scores.csv"), numbers("original.csv"));
}

#[test]
fn a_forged_graph_is_refused_though_every_digest_is_right() {
    for (what, alter) in [("one f32 up", one_ulp as fn(&mut Model)), ("missing values", missing_flipped)] {
        for certificate in [Certificate::AsItWas, Certificate::OfTheForgedGraph] {
            let folder = forged(alter, certificate);
            let told = match certificate {
                Certificate::AsItWas => "the graph of `churn_90d`: the SHA-256 is",
                Certificate::OfTheForgedGraph => "the logit of `churn_90d` is",
            };
            let scored = folder.run("score --book book/book.toml --model forged --as-of 2024-06-30 --out scores.csv");
            let verified = folder.run("models verify forged");
            for run in [scored, verified] {
                let Run { code, stderr, .. } = &run;
                assert!(*code == Some(VERIFICATION) && stderr.contains(told), "{what}, {certificate:?}: {stderr}");
            }
            assert!(!folder.path("scores.csv").exists());
        }
    }
}
