//! A compiled project, kept from one command to the next in `.pipewright/cache`.
//!
//! It is used only where compiling would give the same again: the same program, target and variables, the same files
//! with the same content, the same values of the environment variables that they name. Files are compared by content,
//! not by time, so nothing that was edited is missed. What is kept for another question is replaced, what cannot be
//! read or written is passed over: the cache saves time and decides nothing.
//!
//! `pipeline.yaml` is read each time and not kept, for it may hold secrets.
//!
//! ```text
//! magic · checksum of all that follows it · length of the body · (CompiledProject, warnings) · Head
//! ```

use std::collections::BTreeMap;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::compile::CompiledProject;
use crate::diag::{Diagnostics, SourceFile, table};
use crate::manifest::Survey;
use crate::manifest::env::Environment;
use crate::manifest::load::source_file;
use crate::project::Detail;

type Hash = [u8; 32];

const MAGIC: &[u8; 16] = b"pipewright cache";

/// Where a compiled project is kept, and what must hold for it to be used.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    root: PathBuf,
    /// Of the program, the target, the variables, what `pipeline.yaml` says, and the names of all files.
    question: Hash,
}

/// What a kept project was compiled from.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    question: Hash,
    /// The environment variables that files name; nothing for one that is not set.
    environment: BTreeMap<String, Option<Hash>>,
    /// The files by name, with their content; places in the project are numbers of this list.
    files: Vec<(String, Hash)>,
}

impl Cache {
    /// The cache of a project for one target; `variables` are those given for this command.
    ///
    /// Nothing where the program does not know which program it is.
    pub fn new(survey: &Survey, target: &str, variables: &[String]) -> Option<Self> {
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        // A program that was built anew may compile otherwise, though its version is the same.
        let program = fs_err::metadata(std::env::current_exe().ok()?).ok()?;
        add(&format!("{} {} {:?}", env!("CARGO_PKG_VERSION"), program.len(), program.modified().ok()?));
        add(target);
        for variable in variables {
            add(variable);
        }
        // Secrets are `***` here.
        add(&serde_json::to_string(&survey.pipeline.content).ok()?);
        for (what, path) in survey.listing() {
            add(what);
            add(&path);
        }
        let root = survey.root.clone();
        let name: String =
            target.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
        let path = root.join(".pipewright").join("cache").join(format!("{name}.bin"));
        Some(Self { path, root, question: *hasher.finalize().as_bytes() })
    }

    /// The project that was kept, with its warnings, if compiling would give it again.
    pub fn read(
        &self,
        survey: &Survey,
        environment: &(dyn Environment + Sync),
    ) -> Option<(CompiledProject, Diagnostics)> {
        let bytes = fs_err::read(&self.path).ok()?;
        let rest = bytes.strip_prefix(MAGIC)?;
        let (checksum, rest) = rest.split_first_chunk::<32>()?;
        let (length, rest) = rest.split_first_chunk::<8>()?;
        // Bytes that are not those that were written give no project, or one that nobody gets to see.
        let (read, sum) = rayon::join(
            || self.read_body(survey, environment, rest, *length),
            || checksum_of(blake3::Hasher::new().update(rest), *length),
        );
        read.filter(|_| sum == *checksum)
    }

    /// The project in what follows the checksum, if it answers the question.
    fn read_body(
        &self,
        survey: &Survey,
        environment: &(dyn Environment + Sync),
        rest: &[u8],
        length: [u8; LENGTH],
    ) -> Option<(CompiledProject, Diagnostics)> {
        let (body, head) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(length)).ok()?)?;
        let head: Head = postcard::from_bytes(head).ok()?;
        let answers = head.question == self.question
            && head
                .environment
                .iter()
                .all(|(name, value)| environment.get(name).map(|now| hash(&now)) == *value);
        if !answers {
            return None;
        }
        let files: Option<Vec<Arc<SourceFile>>> = head
            .files
            .par_iter()
            .map(|(name, content)| {
                source_file(&self.root, name.as_ref()).ok().filter(|file| hash(&file.text) == *content)
            })
            .collect();
        let (mut compiled, warnings): (CompiledProject, Diagnostics) =
            table::reading(files?, || postcard::from_bytes(body)).ok()?;
        compiled.project.settle(survey.root.clone(), survey.pipeline.content.clone());
        Some((compiled, warnings))
    }

    /// Keeps a project. `manifest` are the files of the manifest as they were read, `environment` what they asked for.
    pub fn write(
        &self,
        compiled: &CompiledProject,
        warnings: &Diagnostics,
        manifest: &[Arc<SourceFile>],
        environment: &BTreeMap<String, Option<String>>,
    ) {
        // Where nothing can be written, the next command compiles again.
        let _ = self.try_write(compiled, warnings, manifest, environment);
    }

    fn try_write(
        &self,
        compiled: &CompiledProject,
        warnings: &Diagnostics,
        manifest: &[Arc<SourceFile>],
        environment: &BTreeMap<String, Option<String>>,
    ) -> Option<()> {
        let folder = self.path.parent()?;
        fs_err::create_dir_all(folder).ok()?;
        fs_err::write(folder.parent()?.join(".gitignore"), "*\n").ok()?;
        // A rename, so that a reader finds the old one or the new one, whole.
        let aside = self.path.with_extension(format!("{}.tmp", std::process::id()));
        let mut out = Hashed::new(fs_err::File::create(&aside).ok()?);
        out.file.write_all(MAGIC).ok()?;
        out.file.write_all(&[0; CHECKSUM + LENGTH]).ok()?;
        let mut out = BufWriter::with_capacity(1 << 20, out);
        // The files are known when all places are written: the head comes last.
        let (written, mut files) =
            table::writing(|| postcard::to_io(&(compiled, warnings), &mut out).map(|_| ()));
        written.ok()?;
        out.flush().ok()?;
        let length = out.get_ref().written.to_le_bytes();
        let queries = compiled.project.nodes.values().filter_map(|node| match &node.detail {
            Detail::Model(model) => Some(&model.sql),
            Detail::Load(_) => None,
        });
        let numbered: std::collections::BTreeSet<usize> =
            files.iter().map(|file| Arc::as_ptr(file).addr()).collect();
        let others =
            manifest.iter().chain(queries).filter(|file| !numbered.contains(&Arc::as_ptr(file).addr()));
        files.extend(others.cloned().collect::<Vec<_>>());
        let head = Head {
            question: self.question,
            environment: environment
                .iter()
                .map(|(name, value)| (name.clone(), value.as_deref().map(hash)))
                .collect(),
            files: files.iter().map(|file| (file.name.clone(), hash(&file.text))).collect(),
        };
        out.write_all(&postcard::to_stdvec(&head).ok()?).ok()?;
        let Hashed { mut file, hasher, .. } = out.into_inner().ok()?;
        file.seek(SeekFrom::Start(MAGIC.len() as u64)).ok()?;
        file.write_all(&checksum_of(&hasher, length)).ok()?;
        file.write_all(&length).ok()?;
        drop(file);
        fs_err::rename(&aside, &self.path).ok()
    }
}

const CHECKSUM: usize = 32;
const LENGTH: usize = 8;

/// Of what was hashed, body and head, and of the length that parts them.
fn checksum_of(hasher: &blake3::Hasher, length: [u8; LENGTH]) -> [u8; CHECKSUM] {
    *hasher.clone().update(&length).finalize().as_bytes()
}

/// A file whose content is hashed as it is written.
struct Hashed {
    file: fs_err::File,
    hasher: blake3::Hasher,
    /// Bytes that were hashed.
    written: u64,
}

impl Hashed {
    fn new(file: fs_err::File) -> Self {
        Self { file, hasher: blake3::Hasher::new(), written: 0 }
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

fn hash(text: &str) -> Hash {
    *blake3::hash(text.as_bytes()).as_bytes()
}
