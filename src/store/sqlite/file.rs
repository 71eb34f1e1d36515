//! The file before SQLite opens it.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use super::error::OpenError;

/// Makes the file if there is none, and looks whether it is one that only its owner can open. Returns
/// its absolute path, which SQLite takes for nothing else, such as a URI or `:memory:`.
///
/// A file that is there is not opened: to close it again would take SQLite's locks away from whoever
/// in this process has it open (POSIX, `fcntl`).
pub(super) fn prepare(path: &Path) -> Result<PathBuf, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    let path = std::path::absolute(path).map_err(io)?;
    match private().write(true).create_new(true).open(&path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(source) => return Err(OpenError::Io { path, source }),
    }
    let found = fs::metadata(&path).map_err(io)?;
    if !found.is_file() {
        return Err(OpenError::NotAFile { path });
    }
    check_private(&path)?;
    // What an earlier run left there, when the file may have been open to others.
    for suffix in ["-wal", "-shm"] {
        let mut beside = path.clone().into_os_string();
        beside.push(suffix);
        check_private(Path::new(&beside))?;
    }
    Ok(path)
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    OpenOptions::new()
}

/// Whether nobody but its owner can open the file, if there is one.
#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), OpenError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = match fs::metadata(path) {
        Ok(found) => found.permissions().mode() & 0o777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(OpenError::Io { path: path.to_owned(), source }),
    };
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(OpenError::OpenToOthers { path: path.to_owned(), mode })
    }
}

#[cfg(not(unix))]
fn check_private(_path: &Path) -> Result<(), OpenError> {
    Ok(())
}
