//! Before the build: packs the source code of the program into an archive that the program carries and
//! offers to whoever uses it over a network (AGPL §13), so that the offer holds for every build, changed
//! ones too. It names no time, no person and no folder of the machine. A digest of it tells one build from
//! another: what one read of a platform, another may read otherwise.

use std::hash::{DefaultHasher, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use tar::{Builder, HeaderMode};

/// What it takes to build and run the program. Tests are not in it.
const PACKED: [&str; 8] =
    ["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "build.rs", "federation-specs", "migrations", "src"];

fn main() -> io::Result<()> {
    // Also embeds a new migration: without it, only after some other edit.
    for part in PACKED {
        println!("cargo:rerun-if-changed={part}");
    }
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?).join("source.tar");
    let folder = format!("passerelle-{}", env::var("CARGO_PKG_VERSION").map_err(io::Error::other)?);
    let mut archive = Builder::new(io::BufWriter::new(fs::File::create(&out)?));
    archive.mode(HeaderMode::Deterministic);
    for part in PACKED {
        pack(&mut archive, &root, Path::new(part), Path::new(&folder))?;
    }
    archive.into_inner()?.flush()?;
    let mut digest = DefaultHasher::new();
    digest.write(&fs::read(out)?);
    println!("cargo:rustc-env=PASSERELLE_SOURCE={:016x}", digest.finish());
    Ok(())
}

/// Adds a file, or a folder with what is in it, in the order of the names.
fn pack(archive: &mut Builder<impl io::Write>, root: &Path, path: &Path, folder: &Path) -> io::Result<()> {
    let at = root.join(path);
    if !at.is_dir() {
        return archive.append_path_with_name(at, folder.join(path));
    }
    let mut names: Vec<_> = fs::read_dir(at)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<_>>()?;
    // What editors and file managers leave behind begins with a dot.
    names.retain(|name| !name.to_string_lossy().starts_with('.'));
    names.sort();
    names.iter().try_for_each(|name| pack(archive, root, &path.join(name), folder))
}
