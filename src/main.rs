//! The `passerelle` program: hands its arguments to [`passerelle::cli`] and ends with its exit code.

/// A gateway makes and frees small texts all day on all cores (`benches/README.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    passerelle::cli::run()
}
