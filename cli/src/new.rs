//! The command `new`: a crate with a strategy, a scenario and a test of the user's own. Invariant: what it writes builds and passes its
//! test as it is.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Done, Failure, print};

/// The files of a new crate: where, and what, with `NAME` and `CRATE` to be replaced.
const FILES: [(&str, &str); 5] = [
    ("Cargo.toml", include_str!("../template/Cargo.toml.txt")),
    ("src/lib.rs", include_str!("../template/lib.rs.txt")),
    ("src/main.rs", include_str!("../template/main.rs.txt")),
    ("scenarios/first.ron", include_str!("../template/first.ron.txt")),
    ("tests/first.rs", include_str!("../template/first.rs.txt")),
];

/// Writes the crate into a folder that does not exist yet, or is empty.
pub(crate) fn new(folder: &Path, engine: Option<&Path>, git: Option<&str>) -> Result<Done, Failure> {
    let name = crate_name(folder)?;
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::Input(format!("{} is not empty; choose a new folder", folder.display())));
    }
    let source = match git {
        Some(url) => format!("git = {url:?}"),
        None => {
            let checkout = checkout(engine)?;
            format!("path = {:?}", checkout.display().to_string())
        }
    };
    for (path, content) in FILES {
        let content = content.replace("NAME", &name).replace("CRATE", &name.replace('-', "_"));
        let content = if path == "Cargo.toml" { dependencies(&content, &source, git.is_some()) } else { content };
        write(&folder.join(path), &content)?;
    }
    print(&format!("{0} is ready. Try:\n  cd {0}\n  cargo test\n  cargo run --release -- run scenarios/first.ron\n", folder.display()))
}

/// The folder's last part, which must be a name that Cargo takes.
fn crate_name(folder: &Path) -> Result<String, Failure> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let valid = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if valid {
        return Ok(name.to_owned());
    }
    Err(Failure::Input(format!(
        "`{name}` cannot name a crate; use a folder like my-strategy: letters, digits, `-` and `_`, a small letter first"
    )))
}

/// The folder with the crates of Stillpoint.
fn checkout(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let folder = given.unwrap_or(built_from);
    if !folder.join("engine/Cargo.toml").is_file() {
        let help = "name one with --engine FOLDER, or a repository with --git URL";
        return Err(Failure::Input(format!("{} is no checkout of Stillpoint; {help}", folder.display())));
    }
    folder.canonicalize().map_err(|error| Failure::Input(format!("{}: {error}", folder.display())))
}

/// Fills in where the crates of Stillpoint come from: folders of a checkout, or one repository.
fn dependencies(manifest: &str, source: &str, is_git: bool) -> String {
    ["engine", "cli", "actors"].iter().fold(manifest.to_owned(), |manifest, part| {
        let source = if is_git { source.to_owned() } else { format!("{}/{part}\"", source.trim_end_matches('"')) };
        manifest.replace(&format!("SOURCE_{part}"), &source)
    })
}

fn write(path: &Path, content: &str) -> Result<(), Failure> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, content));
    made.map_err(|error| Failure::Work(format!("cannot write {}: {error}", path.display())))
}
