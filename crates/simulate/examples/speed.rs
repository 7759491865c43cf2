//! scratch
use bellwether_simulate::*;
fn main(){let a:Vec<String>=std::env::args().collect();
 let c=SimulateConfig{n_accounts:a[1].parse().unwrap(),seed:a.get(3).map_or(1,|s|s.parse().unwrap()),..Default::default()};
 let t=std::time::Instant::now();
 let b=simulate(&c,std::path::Path::new(&a[2]),&bellwether_core::Quiet).unwrap(); println!("{b:?} {:?}",t.elapsed());}
