//! Tells cargo that the embedded migrations changed: without it, a new file is embedded only after some
//! other edit.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
