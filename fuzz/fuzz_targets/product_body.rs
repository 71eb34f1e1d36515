#![no_main]

#[allow(dead_code)] // each target uses one of the functions
#[path = "../issuing/mod.rs"]
mod issuing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    issuing::product_body(data);
});
