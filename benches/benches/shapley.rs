//! Rows a second that are explained exactly, and what it takes to compile the tables for it.

use bellwether_benches::{covered, rows, schema, trees};
use bellwether_core::{Outcome, Target};
use bellwether_score::{Against, Explainer, Kernel};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const N_ROWS: usize = 4_096;
const N_FEATURES: usize = 60;
const CHURN: Target = Target { outcome: Outcome::Churn, horizon_days: 90 };

fn shapley(criterion: &mut Criterion) {
    let x = rows(N_ROWS, N_FEATURES, 1);
    for (n_trees, n_leaves) in [(100, 31), (500, 31), (50, 255)] {
        let model = covered(trees(n_trees, n_leaves, N_FEATURES, 2));
        let graph = bellwether_onnx::encode(&model, &schema(N_FEATURES), "churn_90d").expect("a graph");
        let kernel = Kernel::compile(&graph).expect("a kernel");
        let compile = || Explainer::new(&kernel, &model, CHURN, Against::Training(None)).expect("it has covers");
        let explainer = compile();
        let mut group = criterion.benchmark_group(format!("{n_trees} trees x {n_leaves} leaves"));
        group.sample_size(10).bench_function("compile", |bench| bench.iter(compile));
        group.throughput(Throughput::Elements(N_ROWS as u64));
        group.bench_function("explain", |bench| bench.iter(|| explainer.contributions(&x).expect("they add up")));
        group.finish();
    }
}

criterion_group!(benches, shapley);
criterion_main!(benches);
