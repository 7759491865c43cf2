//! The binary bellwether.
fn main() {}
