use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::fs::{FlockOperation, flock};

use super::Refused;

/// Held while a process serves a SQLite file: one writer, one set of workers. (On PostgreSQL any number
/// of processes may serve.)
#[derive(Debug)]
pub struct FileGuard {
    _file: File,
}

impl FileGuard {
    /// Takes the guard of a database file.
    ///
    /// # Errors
    /// When another process holds it: the sentence names that process and what to do.
    pub fn take(database: &Path) -> anyhow::Result<Self> {
        let path = PathBuf::from(format!("{}.serve", database.display()));
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut holder = String::new();
            let _unknown = file.read_to_string(&mut holder);
            return Err(Refused {
                code: "serve.already-serving",
                message: format!("another gateway (process {}) already serves {}", holder.trim(), database.display()),
                place: None,
                help: "stop it first, or give this one its own database.url".to_owned(),
            }
            .into());
        }
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self { _file: file })
    }
}
