//! Who a dataset is granted to.

use std::fmt;
use std::str::FromStr;

use crate::manifest::types::DatasetRole;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The words for groups that need no address.
pub const SPECIAL_MEMBERS: [&str; 5] =
    ["projectReaders", "projectWriters", "projectOwners", "allAuthenticatedUsers", "allUsers"];

/// What stands before an address, and what it is the address of.
const KINDS: [&str; 4] = ["user", "serviceAccount", "group", "domain"];

/// What the addresses of service accounts end in.
const SERVICE_ACCOUNTS: &str = ".gserviceaccount.com";

/// A role in a dataset that somebody is given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// What they may do.
    pub role: DatasetRole,
    /// Who.
    pub member: Member,
}

/// Somebody who may be given a role. Equal members are the same for BigQuery, which knows neither upper case in
/// addresses nor a difference between people and service accounts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// One account, by its address.
    User(String),
    /// A group, by its address.
    Group(String),
    /// Everybody of a domain.
    Domain(String),
    /// One of [`SPECIAL_MEMBERS`].
    Special(&'static str),
    /// What identity federation names, as it names it.
    Principal(String),
}

impl FromStr for Member {
    /// What is wrong, and how it is written.
    type Err = (String, String);

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |why: &str, help: String| Err((why.to_owned(), help));
        if let Some(special) = SPECIAL_MEMBERS.into_iter().find(|special| special.eq_ignore_ascii_case(text))
        {
            return Ok(Self::Special(special));
        }
        if (text.starts_with("principal://") || text.starts_with("principalSet://"))
            && !text.contains(char::is_whitespace)
            && !text.ends_with("://")
        {
            return Ok(Self::Principal(text.to_owned()));
        }
        let Some((kind, name)) = text.split_once(':') else {
            return wrong(
                "it does not say what it is",
                if is_address(text) {
                    format!("write `user:{text}`, `group:{text}` or `serviceAccount:{text}`")
                } else if is_domain(text) {
                    format!("write `domain:{text}`")
                } else {
                    format!("write `user:ana@example.com`, or one of {}", SPECIAL_MEMBERS.join(", "))
                },
            );
        };
        let name = name.to_lowercase();
        match kind {
            "user" | "serviceAccount" if is_address(&name) => Ok(Self::User(name)),
            "group" if is_address(&name) => Ok(Self::Group(name)),
            "domain" if is_domain(&name) => Ok(Self::Domain(name)),
            "domain" => {
                wrong("what stands behind `domain:` is no domain", "write `domain:example.com`".to_owned())
            }
            kind if KINDS.contains(&kind) => {
                wrong("what stands behind the colon is no address", format!("write `{kind}:ana@example.com`"))
            }
            _ => wrong(
                "nobody is written so",
                format!(
                    "begin it with one of {}, or write one of {}",
                    KINDS.map(|kind| format!("`{kind}:`")).join(", "),
                    SPECIAL_MEMBERS.join(", ")
                ),
            ),
        }
    }
}

fn is_address(text: &str) -> bool {
    let plain =
        |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, ',' | ';' | '<' | '>' | '"' | ':');
    text.split_once('@')
        .is_some_and(|(name, domain)| !name.is_empty() && name.chars().all(plain) && is_domain(domain))
}

fn is_domain(text: &str) -> bool {
    text.contains('.')
        && text.split('.').all(|part| {
            !part.is_empty()
                && part.chars().all(|c| c.is_alphanumeric() || c == '-')
                && !part.starts_with('-')
                && !part.ends_with('-')
        })
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(address) if address.ends_with(SERVICE_ACCOUNTS) => {
                write!(f, "serviceAccount:{address}")
            }
            Self::User(address) => write!(f, "user:{address}"),
            Self::Group(address) => write!(f, "group:{address}"),
            Self::Domain(domain) => write!(f, "domain:{domain}"),
            Self::Special(word) => f.write_str(word),
            Self::Principal(text) => f.write_str(text),
        }
    }
}

impl Serialize for Member {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|(why, _)| serde::de::Error::custom(format!("`{text}`: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_member_is_read_from_each_of_its_forms() {
        let same = [
            ("user:Ana@Example.com", "user:ana@example.com"),
            ("user:loader@my.iam.gserviceaccount.com", "serviceAccount:loader@my.iam.gserviceaccount.com"),
            ("group:analysts@example.com", "group:analysts@example.com"),
            ("domain:Example.com", "domain:example.com"),
            ("projectowners", "projectOwners"),
            ("allAuthenticatedUsers", "allAuthenticatedUsers"),
            ("allUsers", "allUsers"),
            (
                "principalSet://iam.googleapis.com/locations/global/workforcePools/P/group/G",
                "principalSet://iam.googleapis.com/locations/global/workforcePools/P/group/G",
            ),
        ];
        for (text, canonical) in same {
            let member: Member = text.parse().unwrap();
            assert_eq!(member.to_string(), canonical);
            assert_eq!(canonical.parse(), Ok(member));
        }
    }

    #[test]
    fn what_nobody_is_called_is_refused_with_what_to_write() {
        let wrong = [
            ("ana@example.com", "`user:ana@example.com`, `group:ana@example.com`"),
            ("example.com", "`domain:example.com`"),
            ("everybody", "user:ana@example.com"),
            ("", "user:ana@example.com"),
            ("user:ana", "`user:ana@example.com`"),
            ("user:", "`user:ana@example.com`"),
            ("user:ana@example.com,bob@example.com", "`user:ana@example.com`"),
            ("user:@example.com", "`user:ana@example.com`"),
            ("group:analysts", "`group:ana@example.com`"),
            ("domain:ana@example.com", "`domain:example.com`"),
            ("domain:example", "`domain:example.com`"),
            ("mail:ana@example.com", "`user:`, `serviceAccount:`, `group:`, `domain:`"),
            ("User:ana@example.com", "`user:`"),
            ("principal://", "`user:`"),
        ];
        for (text, help) in wrong {
            let (_, told) = text.parse::<Member>().unwrap_err();
            assert!(told.contains(help), "{text}: {told}");
        }
    }
}
