//! The `passerelle` program: hands its arguments to [`passerelle`] and ends with its exit code.

fn main() {}
