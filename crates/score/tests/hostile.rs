//! Bytes that nobody wrote: the committed corpus of `fuzz/`, and random alterations of it, are refused or computed right.
//! The fuzz targets run the same functions with coverage to guide them; this runs on every commit.

#[path = "../../../fuzz/src/bundle.rs"]
mod bundle;
#[path = "../../../fuzz/src/graph.rs"]
mod graph;

use std::fs;
use std::path::{Path, PathBuf};

use bellwether_core::FeatureMatrix;
use bellwether_score::{Kernel, Reference};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// Alterations of each file of a corpus.
const N_ALTERED: usize = 60;
/// Trees up to which tract is asked too.
const MAX_REFERENCE_TREES: usize = 4;

/// The files of a target's corpus, by name.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = fs::read_dir(folder).expect("the corpus is committed").map(|entry| entry.expect("lists").path());
    let mut paths: Vec<PathBuf> = entries.collect();
    paths.sort();
    assert!(!paths.is_empty(), "{target} has a corpus");
    paths.iter().map(|path| fs::read(path).expect("reads")).collect()
}

/// Calls `run` for the corpus of a target and for alterations of it.
fn check(target: &str, run: impl Fn(&[u8])) {
    let corpus = corpus(target);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for bytes in &corpus {
        run(bytes);
        for _ in 0..N_ALTERED {
            run(&altered(bytes, &corpus[below(corpus.len(), &mut rng)], &mut rng));
        }
    }
}

/// One to four bytes set, turned, cut out or put in, or the rest of another file in place of the own.
fn altered(bytes: &[u8], other: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut altered = bytes.to_vec();
    for _ in 0..=below(4, rng) {
        let at = below(altered.len() + 1, rng);
        let byte = [0, 1, 0x7f, 0x80, 0xff, b'9', b'"', rng.next_u32() as u8][below(8, rng)];
        match below(6, rng) {
            0 => altered.insert(at, byte),
            1 => drop(altered.drain(at..(at + 1 + below(8, rng)).min(altered.len()).max(at))),
            2 => altered.truncate(at),
            3 => altered.splice(at.., other[at.min(other.len())..].iter().copied()).for_each(drop),
            _ => {
                if let Some(place) = altered.get_mut(at) {
                    *place = if below(2, rng) == 0 { byte } else { *place ^ (1 << below(8, rng)) };
                }
            }
        }
    }
    altered
}

fn below(n: usize, rng: &mut ChaCha8Rng) -> usize {
    (rng.next_u64() % n as u64) as usize
}

/// tract's leaves are ours. Numbers near the ends of f32 overflow in a graph that computes in f32, so logits may differ.
fn with_tract(kernel: &Kernel, rows: &FeatureMatrix, bytes: &[u8]) {
    if kernel.n_trees() <= MAX_REFERENCE_TREES {
        let reference = Reference::new(bytes).expect("tract reads what we write");
        let leaves = reference.leaves(rows).expect("tract runs what we write");
        assert_eq!(kernel.leaves(rows).expect("rows have the model's width"), leaves);
    }
}

#[test]
fn graphs() {
    check("onnx", |bytes| graph::file(bytes, &with_tract));
}

#[test]
fn models_of_any_shape() {
    check("model", |bytes| graph::model(bytes, &with_tract));
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for _ in 0..2_000 {
        let bytes: Vec<u8> = (0..below(400, &mut rng)).map(|_| rng.next_u32() as u8).collect();
        graph::model(&bytes, &with_tract);
    }
}

#[test]
fn bundles() {
    let forged = bundle::Forged::new();
    check("bundle", |bytes| bundle::any_file(&forged, bytes));
}

#[test]
fn manifests() {
    let forged = bundle::Forged::new();
    check("manifest", |bytes| forged.try_file("manifest.json", bytes));
}
