//! Patterns of files in a bucket of Cloud Storage.

use std::path::Path;

use super::error::SourceError;
use super::files::{Names, first_special};

/// What stands before a bucket's name.
const SCHEME: &str = "gs://";

/// Files of a bucket: `gs://bucket/orders/*.csv`.
#[derive(Debug, Clone)]
pub struct BucketFiles {
    /// The bucket.
    pub bucket: String,
    pattern: String,
    names: Names,
}

impl BucketFiles {
    /// Reads an address. Patterns mean what they mean for paths, see [`super::expand`].
    ///
    /// # Errors
    /// An address of another kind, one without a file, or a pattern that is none.
    pub fn parse(address: &str) -> Result<Self, SourceError> {
        let Some((bucket, pattern)) = address.strip_prefix(SCHEME).and_then(|rest| rest.split_once('/'))
        else {
            return Err(SourceError::Elsewhere { address: address.to_owned() });
        };
        if pattern.is_empty() || pattern.ends_with('/') {
            return Err(SourceError::IsFolder { path: address.to_owned() });
        }
        let bad = |reason| SourceError::BadPattern { pattern: address.to_owned(), reason };
        let names = Names::of(pattern).map_err(bad)?;
        Ok(Self { bucket: bucket.to_owned(), pattern: pattern.to_owned(), names })
    }

    /// What the names of all its files begin with.
    pub fn prefix(&self) -> &str {
        &self.pattern[..first_special(&self.pattern)]
    }

    /// Whether all its files are in one folder: none is entered behind [`Self::prefix`].
    pub fn is_within_folder(&self) -> bool {
        let behind = &self.pattern[first_special(&self.pattern)..];
        !behind.contains('/') && !behind.contains("**")
    }

    /// Whether a file of the bucket is meant. One whose name is the pattern is.
    pub fn have(&self, name: &str) -> bool {
        name == self.pattern || self.names.have(Path::new(name))
    }
}

/// The address of a file of a bucket.
pub fn address_of(bucket: &str, name: &str) -> String {
    format!("{SCHEME}{bucket}/{name}")
}

/// Bucket and name of a file from its address.
pub fn bucket_and_name(address: &str) -> Option<(&str, &str)> {
    address.strip_prefix(SCHEME)?.split_once('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_buckets_are_those_of_folders() {
        let files = BucketFiles::parse("gs://shop/orders/2024-*/part[1].csv").expect("an address");
        assert_eq!((files.bucket.as_str(), files.prefix()), ("shop", "orders/2024-"));
        assert!(files.have("orders/2024-01/part1.csv") && files.have("orders/2024-*/part[1].csv"));
        for other in ["orders/2024-01/x/part1.csv", "orders/2024-01/part2.csv", "orders/2024-01/.part1.csv"] {
            assert!(!files.have(other), "{other}");
        }
        let address = address_of("shop", "orders/a.csv");
        assert_eq!(address, "gs://shop/orders/a.csv");
        assert_eq!(bucket_and_name(&address), Some(("shop", "orders/a.csv")));
        let every = BucketFiles::parse("gs://shop/**/*.csv").expect("an address");
        assert!(every.prefix().is_empty() && every.have("a.csv") && every.have("x/y/a.csv"));
    }

    #[test]
    fn folders_are_entered_only_where_a_pattern_reaches_into_them() {
        let within = |address: &str| BucketFiles::parse(address).expect("an address").is_within_folder();
        for address in
            ["gs://shop/a.csv", "gs://shop/in/a*.csv", "gs://shop/in/[ab].csv", "gs://shop/{a,b}.csv"]
        {
            assert!(within(address), "{address}");
        }
        for address in ["gs://shop/*/a.csv", "gs://shop/**/a.csv", "gs://shop/in/**", "gs://shop/{a,b/c}.csv"]
        {
            assert!(!within(address), "{address}");
        }
    }

    #[test]
    fn what_names_no_file_is_refused() {
        assert!(matches!(BucketFiles::parse("s3://shop/a.csv"), Err(SourceError::Elsewhere { .. })));
        assert!(matches!(BucketFiles::parse("gs://shop"), Err(SourceError::Elsewhere { .. })));
        assert!(matches!(BucketFiles::parse("gs://shop/orders/"), Err(SourceError::IsFolder { .. })));
        assert!(matches!(BucketFiles::parse("gs://shop/a[.csv"), Err(SourceError::BadPattern { .. })));
    }
}
