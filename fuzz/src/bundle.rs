//! Bundles: files that a forger wrote, with every digest put right.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bellwether_bundle::{Bundle, BundleContents, Provenance, TargetModel};
use bellwether_core::{
    Bands, Calibration, Digest, EncodedInput, Encoding, FeatureMatrix, Indicator, InputKind, Linear, LinearTerm, Link,
    Model, Node, Outcome, ScorecardModel, Target, Tree, Trees,
};
use bellwether_health::Scorecard;
use bellwether_score::{Scorer, ScorerParts, ScorerTarget};
use serde_json::{Value, json};

/// The files that bytes may take the place of, by the first byte.
pub(crate) const FILES: [&str; 9] = [
    "manifest.json",
    "churn_90d.onnx",
    "expansion_90d.onnx",
    "features.json",
    "parity.bin",
    "scorecard.json",
    "provenance.json",
    "evaluation.json",
    "book.toml",
];

/// A bundle in a folder of its own, which goes when this does.
pub(crate) struct Forged {
    folder: tempfile::TempDir,
    originals: BTreeMap<&'static str, Vec<u8>>,
    manifest: Value,
}

impl Forged {
    /// A small bundle in the memory disk, where there is one.
    pub(crate) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let folder = folder.expect("a folder can be made");
        bellwether_bundle::write(&contents(), &folder.path().join("1")).expect("it can be written");
        let read = |file| fs::read(folder.path().join("1").join(file)).expect("it was written");
        let originals: BTreeMap<&str, Vec<u8>> = FILES.iter().map(|&file| (file, read(file))).collect();
        let manifest = serde_json::from_slice(&originals["manifest.json"]).expect("a manifest is JSON");
        Self { folder, originals, manifest }
    }

    /// What the file is when nobody has altered it.
    pub(crate) fn original(&self, file: &str) -> &[u8] {
        &self.originals[file]
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("1")
    }

    fn put(&self, file: &str, bytes: &[u8]) {
        fs::write(self.path().join(file), bytes).expect("the folder can be written");
    }

    fn put_manifest(&self, bytes: &[u8]) {
        self.put("manifest.json", bytes);
        self.put("manifest.sha256", format!("{}  manifest.json\n", Digest::of(bytes)).as_bytes());
    }

    /// Bytes in the place of a file, the manifest after it, and everything as it was afterwards.
    pub(crate) fn try_file(&self, file: &str, bytes: &[u8]) {
        if file == "manifest.json" {
            self.put_manifest(bytes);
        } else {
            self.put(file, bytes);
            let mut manifest = self.manifest.clone();
            manifest["files"][file] = json!({ "bytes": bytes.len(), "sha256": Digest::of(bytes) });
            let mut text = serde_json::to_vec_pretty(&manifest).expect("JSON");
            text.push(b'\n');
            self.put_manifest(&text);
        }
        open(&self.path());
        self.put(file, self.original(file));
        self.put_manifest(self.original("manifest.json"));
    }
}

/// Bytes as the number of a file and what stands in it.
pub(crate) fn any_file(forged: &Forged, bytes: &[u8]) {
    if let Some((&file, bytes)) = bytes.split_first() {
        forged.try_file(FILES[usize::from(file) % FILES.len()], bytes);
    }
}

/// It is refused, or it scores.
fn open(path: &Path) {
    let Ok(bundle) = Bundle::open(path) else { return };
    let Ok(scorer) = Scorer::from_bundle(&bundle) else { return };
    let row = vec![vec![0.5_f32]; bundle.schema().len()];
    let x = FeatureMatrix::from_columns(&row).expect("finite");
    scorer.score(&x).expect("a bundle that was opened scores");
}

fn schema_inputs() -> Encoding {
    let input = |name: &str, kind| EncodedInput { name: name.to_owned(), category: None, good: None, kind };
    let levels = InputKind::Levels { levels: vec!["free".to_owned(), "pro".to_owned()], other: true };
    Encoding { inputs: vec![input("logins", InputKind::Number), input("plan", levels)] }
}

fn models() -> [(Target, Model); 2] {
    let of = |outcome| Target { outcome, horizon_days: 90 };
    let term = LinearTerm { lower: -1.0, upper: 9.0, center: 2.0, weight: -0.25, missing_weight: 0.5 };
    let nodes = vec![
        Node::Split { feature: 0, threshold: 1.5, missing_left: true, left: 1, right: 2 },
        Node::Leaf { value: -1.0 },
        Node::Leaf { value: 0.5 },
    ];
    let trees = Trees::new(4, -0.5, Link::Logit, vec![Tree { nodes }]).expect("a stump is a tree");
    [
        (of(Outcome::Churn), Model::Linear(Linear { intercept: -1.0, terms: vec![term; 4] })),
        (of(Outcome::Expansion), Model::Trees(trees)),
    ]
}

/// A bundle of two small models.
pub(crate) fn contents() -> BundleContents {
    let encoding = schema_inputs();
    let schema = encoding.schema().expect("names differ");
    let models = models();
    let indicators = vec![Indicator { feature: 0, weight: 1.0, at_zero: 0.0, at_full: 20.0 }];
    let model = ScorecardModel { n_features: schema.len(), indicators, slope: -0.1, intercept: 5.0 };
    let onnx = |of: &(Target, Model)| bellwether_onnx::encode(&of.1, &schema, &of.0.to_string()).expect("writes");
    let calibration = Calibration::Platt { slope: 1.0, intercept: 0.25 };
    let target = |of: &(Target, Model)| ScorerTarget { target: of.0, onnx: onnx(of), calibration: calibration.clone() };
    let parts = ScorerParts {
        schema: schema.clone(),
        encoding: encoding.clone(),
        scorecard: model.clone(),
        bands: Bands::default(),
        rules: None,
        targets: models.iter().map(target).collect(),
        min_coverage: 0.5,
        digest: Digest::of(b""),
    };
    let scorer = Scorer::from_parts(parts).expect("the parts fit");
    let learnt = |of: &(Target, Model)| TargetModel {
        target: of.0,
        learner: "logistic".to_owned(),
        onnx: onnx(of),
        calibration: calibration.clone(),
    };
    BundleContents {
        name: "fuzz".to_owned(),
        encoding,
        scorecard: Scorecard {
            model,
            bands: Bands::default(),
            names: vec!["logins".to_owned()],
            categories: vec![None],
            rules: None,
        },
        readiness: None,
        revenue: None,
        background: None,
        targets: models.iter().map(learnt).collect(),
        min_coverage: 0.5,
        book_toml: "name = \"fuzz\"\n".to_owned(),
        evaluation: json!({ "churn_90d": { "roc_auc": 0.75 } }),
        provenance: Provenance {
            bellwether_version: "0.1.0".to_owned(),
            crate_versions: BTreeMap::new(),
            seed: 1,
            config_digest: Digest::of(b"config"),
            sources: BTreeMap::new(),
            split: Value::Null,
            waivers: Vec::new(),
            imported: BTreeMap::new(),
        },
        parity: scorer
            .certify(&[(models[0].0, &models[0].1), (models[1].0, &models[1].1)], None, 1)
            .expect("it scores"),
        extra_files: BTreeMap::new(),
    }
}
