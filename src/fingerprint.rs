//! Fingerprints: what a table is made from, as a hash of bytes that are defined here.

use crate::googlesql::Column;

/// Version of the recipe. A new recipe must adopt what an old one built, not rebuild it.
pub const RECIPE: u32 = 1;

/// Hashes fields one after the other; each is preceded by its length, so that no two lists collide.
#[derive(Debug, Clone)]
pub struct Fingerprint(blake3::Hasher);

impl Fingerprint {
    /// Starts a fingerprint of a kind of thing.
    pub fn new(kind: &str) -> Self {
        Self(blake3::Hasher::new()).text(kind).number(u64::from(RECIPE))
    }

    /// Adds a text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
        self
    }

    /// Adds a text that may be missing; a missing one differs from an empty one.
    #[must_use]
    pub fn maybe(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.0.update(&number.to_le_bytes());
        self
    }

    /// Adds a list of texts.
    #[must_use]
    pub fn texts<'a>(self, texts: impl ExactSizeIterator<Item = &'a str>) -> Self {
        let start = self.number(texts.len() as u64);
        texts.fold(start, Self::text)
    }

    /// Adds columns: names and types.
    #[must_use]
    pub fn columns(self, columns: &[Column]) -> Self {
        let start = self.number(columns.len() as u64);
        columns
            .iter()
            .fold(start, |print, column| print.text(&column.name).text(&column.data_type.to_string()))
    }

    /// The hash, hexadecimal, 128 bits.
    pub fn finish(self) -> String {
        self.0.finalize().to_hex()[..32].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_together() {
        let hash = |texts: &[&str]| {
            texts.iter().fold(Fingerprint::new("t"), |print, text| print.text(text)).finish()
        };
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_ne!(
            Fingerprint::new("t").maybe(None).finish(),
            Fingerprint::new("t").maybe(Some("")).finish()
        );
        assert_eq!(hash(&["a"]).len(), 32);
    }

    /// The recipe is a promise: if this changes, every table of every user is rebuilt.
    #[test]
    fn the_recipe_stays() {
        let print = Fingerprint::new("model").text("SELECT 1").number(7).maybe(None).texts(["a"].into_iter());
        assert_eq!(print.finish(), "a7cc22a43427f7d6634ba917520cdedf");
    }
}
