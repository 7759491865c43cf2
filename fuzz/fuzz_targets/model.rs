#![no_main]

#[expect(dead_code, reason = "another target uses the rest")]
#[path = "../src/graph.rs"]
mod graph;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| graph::model(bytes, &|_, _, _| ()));
