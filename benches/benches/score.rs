//! Rows a second of the native kernel, and of tract on the same bytes.

use bellwether_benches::{rows, schema, trees};
use bellwether_score::{Kernel, Reference};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const N_ROWS: usize = 10_000;
/// tract steps over all leaves of the trees before, for each tree of each row: seconds for what the kernel does in
/// milliseconds.
const N_TRACT_ROWS: usize = 20;
const N_FEATURES: usize = 60;

fn score(criterion: &mut Criterion) {
    let x = rows(N_ROWS, N_FEATURES, 1);
    let few = rows(N_TRACT_ROWS, N_FEATURES, 1);
    // Trees of up to 256 leaves are programs, larger ones are walked.
    for (n_trees, n_leaves) in [(100, 31), (500, 31), (100, 255), (50, 1_023)] {
        let model = trees(n_trees, n_leaves, N_FEATURES, 2);
        let graph = bellwether_onnx::encode(&model, &schema(N_FEATURES), "churn_90d").expect("a graph");
        let kernel = Kernel::compile(&graph).expect("a kernel");
        let reference = Reference::new(&graph).expect("a reference");
        let mut group = criterion.benchmark_group(format!("{n_trees} trees x {n_leaves} leaves"));
        group.throughput(Throughput::Elements(N_ROWS as u64)).sample_size(10);
        group.bench_function("native", |bench| bench.iter(|| kernel.logits(&x).expect("logits")));
        if n_leaves == 31 {
            group.throughput(Throughput::Elements(N_TRACT_ROWS as u64));
            group.bench_function("tract", |bench| bench.iter(|| reference.logits(&few).expect("logits")));
        }
        group.finish();
    }
}

criterion_group!(benches, score);
criterion_main!(benches);
