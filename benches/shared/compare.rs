//! A group of contenders as a table, or one of them for `callgrind`.

use crate::shared::{Contender, Options, Work};

impl Options {
    /// Measures a group and prints a table: median time, ratio to the baseline, allocations.
    pub(crate) fn compare(&self, group: &str, baseline: usize, mut contenders: Vec<Contender>) {
        if let Some((cell, times)) = self.cell() {
            for contender in &mut contenders {
                if format!("{group}/{}", contender.name) == cell {
                    contender.time(1); // what is done once is not counted
                    contender.ready(times, |work| measured(work, times));
                }
            }
            return;
        }
        if !self.shows(group) {
            return;
        }
        let medians = self.medians(&mut contenders);
        println!("\n{group}");
        for (contender, median) in contenders.iter_mut().zip(&medians) {
            let allocations = contender.ready(1, |work| allocation_counter::measure(|| work.run()));
            let allocations = allocations.count_total;
            println!(
                "  {:<34} {:>9.0} ns   {:>6.3}   {allocations:>3} allocations",
                contender.name,
                median,
                median / medians[baseline],
            );
        }
    }
}

/// What `callgrind` counts: it starts and stops at this name.
#[inline(never)]
fn measured(work: &mut dyn Work, times: usize) {
    (0..times).for_each(|_| work.run());
}
