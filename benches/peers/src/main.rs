//! What a request costs here and with the peers of this crate, in one process and in turns.
//!
//! ```text
//! cargo run --release --locked --manifest-path benches/peers/Cargo.toml
//! cargo run --release --locked --manifest-path benches/peers/Cargo.toml -- 'ES256 valid'
//! cargo run --release --locked --manifest-path benches/peers/Cargo.toml -- --smoke
//! ```

mod allocations;
#[path = "../../shared/fixture.rs"]
#[expect(dead_code, reason = "other benchmarks send more kinds of tokens")]
mod fixture;
mod path;
mod peers;
#[path = "../../shared/mod.rs"]
#[expect(dead_code, reason = "other benchmarks print and send in their own way")]
mod shared;

use std::collections::HashMap;

use tower_bearer::Algorithm;

use crate::{
    fixture::Fixture,
    path::Case,
    peers::{BY_HAND, CONTENDERS},
    shared::Options,
};

/// With the slash that `axum-jose` puts behind an issuer without a path.
const ISSUER: &str = "https://issuer.test/";

fn main() {
    let options = Options::from_arguments();
    peers::choose_cryptography();
    // Some build their layers asynchronously, and may ask for a runtime when they are polled.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let _inside = runtime.enter();

    for algorithm in [Algorithm::Hs256, Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let fixture = Fixture::named(ISSUER, algorithm);
        for (name, token, expect) in [
            ("valid", Some(&fixture.valid), 200),
            ("expired", Some(&fixture.expired), 401),
            ("bad signature", Some(&fixture.bad_signature), 401),
            ("no credentials", None, 401),
        ] {
            let token = token.map(String::as_str);
            compare(
                &options,
                &format!("{algorithm} {name}"),
                &Case { fixture: &fixture, token, expect },
            );
        }
    }
}

/// Measures a group and prints its table; who cannot take part gets dashes.
fn compare(options: &Options, group: &str, case: &Case<'_>) {
    if !options.shows(group) {
        return;
    }
    let built = CONTENDERS.iter().filter_map(|(name, build)| {
        let mut contender = build(case)?;
        contender.name = (*name).to_owned();
        Some(contender)
    });
    let mut contenders: Vec<_> = built.collect();
    let medians = options.medians(&mut contenders);
    let measured: HashMap<_, _> = contenders
        .iter_mut()
        .zip(medians)
        .map(|(contender, median)| {
            let allocations = contender.ready(1, |work| allocations::count(|| work.run()));
            (&*contender.name, (median, allocations))
        })
        .collect();
    let (baseline, _) = measured[BY_HAND];

    println!("\n### {group}: {}\n", case.expect);
    println!("| {:<32} | {:>8} | {:>7} | {:>11} |", "", "ns", "by hand", "allocations");
    println!("|:{:-<32}-|-{:->8}:|-{:->7}:|-{:->11}:|", "", "", "", "");
    for (name, _) in CONTENDERS {
        match measured.get(name) {
            Some((median, allocations)) => {
                let ratio = median / baseline;
                println!("| {name:<32} | {median:>8.0} | {ratio:>7.3} | {allocations:>11} |");
            }
            None => println!("| {name:<32} | {0:>8} | {0:>7} | {0:>11} |", "-"),
        }
    }
}
