//! The file of a root key.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroize as _;

use crate::crypto::{NoRandom, random};

/// Why there is no key in a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("the key file {path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no such file.
    #[error(
        "there is no key file {path}: put the one back that the store is used with, as no other key opens what is in the store; only a new store may have a new key",
        path = path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file does not hold a key.
    #[error("the key file {path} is no key: it must hold 64 hexadecimal digits", path = path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner can read the file.
    #[error(
        "the key file {path} can be read by others (mode {mode:o}): run chmod 600 {path}, and replace the key if somebody may have seen it",
        path = path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The system gives no random bytes, or no cryptographic backend is compiled in.
    #[error("no key can be made: the system gives no random bytes, or no backend is compiled in")]
    NoRandom,
}

/// Hexadecimal digits of a key.
const DIGITS: usize = 64;

pub(super) fn load_or_create(path: &Path) -> Result<[u8; 32], KeyFileError> {
    match load(path) {
        Err(KeyFileError::Missing { .. }) => {}
        loaded => return loaded,
    }
    let key = random().map_err(|NoRandom| KeyFileError::NoRandom)?;
    match create(path, &key) {
        Ok(()) => Ok(key),
        // Another process was faster: its key is the key.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => load(path),
        Err(source) => Err(KeyFileError::Io { path: path.to_owned(), source }),
    }
}

pub(super) fn load(path: &Path) -> Result<[u8; 32], KeyFileError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => KeyFileError::Missing { path: path.to_owned() },
        _ => KeyFileError::Io { path: path.to_owned(), source },
    };
    let file = File::open(path).map_err(failed)?;
    check_mode(path, &file)?;
    let mut text = Vec::with_capacity(DIGITS + 2);
    file.take(DIGITS as u64 + 2).read_to_end(&mut text).map_err(failed)?;
    let key = parse(text.trim_ascii_end());
    text.zeroize();
    key.ok_or_else(|| KeyFileError::NoKey { path: path.to_owned() })
}

/// Writes to a file beside it first, so that nobody ever reads half a key, not even after a power
/// loss.
fn create(path: &Path, key: &[u8; 32]) -> io::Result<()> {
    let mut text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    text.push('\n');
    let unique: u64 = u64::from_ne_bytes(random().map_err(io::Error::other)?);
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{unique:x}.new"));
    let beside = PathBuf::from(beside);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    text.zeroize();
    // A link is refused where there is a file already; a rename would replace it.
    let linked = written.and_then(|()| std::fs::hard_link(&beside, path));
    std::fs::remove_file(&beside)?;
    linked?;
    #[cfg(unix)]
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn parse(text: &[u8]) -> Option<[u8; 32]> {
    let text: &[u8; DIGITS] = text.try_into().ok()?;
    let mut key = [0; 32];
    for (byte, &[high, low]) in key.iter_mut().zip(text.as_chunks().0) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        let (high, low) = (digit(high)?, digit(low)?);
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    Some(key)
}

#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt as _;
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(KeyFileError::Exposed { path: path.to_owned(), mode })
    }
}

#[cfg(not(unix))]
fn check_mode(_path: &Path, _file: &File) -> Result<(), KeyFileError> {
    Ok(())
}
