//! The `passerelle` program: hands its arguments to [`passerelle::cli`] and ends with its exit code.

fn main() -> std::process::ExitCode {
    passerelle::cli::run()
}
