//! Before the build: packs the source code of the program into an archive that the program carries and
//! offers to whoever uses it over a network (AGPL §13), so that the offer holds for every build, changed
//! ones too. It names no time, no person and no folder of the machine.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What it takes to build and run the program. Tests are not in it.
const PACKED: [&str; 8] =
    ["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "build.rs", "federation-specs", "migrations", "src"];
/// The unit of a tar archive.
const BLOCK: usize = 512;

fn main() -> io::Result<()> {
    // Also embeds a new migration: without it, only after some other edit.
    for part in PACKED {
        println!("cargo:rerun-if-changed={part}");
    }
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?).join("source.tar");
    let folder = format!("passerelle-{}", env::var("CARGO_PKG_VERSION").map_err(io::Error::other)?);
    let mut archive = io::BufWriter::new(fs::File::create(out)?);
    for part in PACKED {
        pack(&mut archive, &root, Path::new(part), &folder)?;
    }
    // Two empty blocks end an archive.
    archive.write_all(&[0; 2 * BLOCK])?;
    archive.flush()
}

/// Adds a file, or a folder with what is in it, in the order of the names.
fn pack(archive: &mut impl io::Write, root: &Path, path: &Path, folder: &str) -> io::Result<()> {
    let at = root.join(path);
    if !at.is_dir() {
        let bytes = fs::read(at)?;
        let name = path.to_str().ok_or_else(|| io::Error::other(format!("{} is not UTF-8", path.display())))?;
        archive.write_all(&header(&format!("{folder}/{name}"), bytes.len())?)?;
        archive.write_all(&bytes)?;
        return archive.write_all(&vec![0; bytes.len().next_multiple_of(BLOCK) - bytes.len()]);
    }
    let mut names: Vec<_> = fs::read_dir(at)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<_>>()?;
    // What editors and file managers leave behind begins with a dot.
    names.retain(|name| !name.to_string_lossy().starts_with('.'));
    names.sort();
    names.iter().try_for_each(|name| pack(archive, root, &path.join(name), folder))
}

/// The header of a plain file (POSIX.1-1988 ustar).
fn header(name: &str, size: usize) -> io::Result<[u8; BLOCK]> {
    // A long name is split before the last folder that fits.
    let (prefix, name) = match name.len() {
        0..=100 => ("", name),
        len => name[len - 101..].find('/').map_or((name, ""), |at| (&name[..len - 101 + at], &name[len - 100 + at..])),
    };
    if prefix.len() > 155 || name.is_empty() {
        return Err(io::Error::other(format!("the name {prefix}{name} is too long for an archive")));
    }
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{size:011o}\0"));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    put(345, prefix);
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}
