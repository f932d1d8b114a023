//! Selections: `dim_orders`, `tag:raw`, `path:models/marts`, `+model`, `model+`, `state:changed`.

use std::collections::BTreeSet;

use super::Graph;
use crate::diag::did_you_mean;
use crate::project::{Address, Project};

/// What a selection may ask of a node.
pub trait Selectable {
    /// Words that mark it.
    fn tags(&self, address: &Address) -> Vec<String>;
    /// Files that declare it, relative to the project: its YAML file and its SQL file.
    fn paths(&self, address: &Address) -> Vec<String>;
    /// Whether it differs from what the target has; nothing where that is not known.
    fn changed(&self, address: &Address) -> Option<bool>;
}

impl Selectable for Project {
    fn tags(&self, address: &Address) -> Vec<String> {
        self.tags_of(address).to_vec()
    }

    fn paths(&self, address: &Address) -> Vec<String> {
        self.paths_of(address)
    }

    fn changed(&self, _: &Address) -> Option<bool> {
        None
    }
}

/// Which nodes a command is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Terms of `--select`; none means everything. A term is one or more words joined by `,`, all of which
    /// must hold.
    pub select: Vec<String>,
    /// Terms of `--exclude`.
    pub exclude: Vec<String>,
}

/// Why a selection cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectionFault {
    /// The term.
    pub term: String,
    /// What is wrong with it.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

impl Selection {
    /// Whether everything is selected.
    pub fn is_everything(&self) -> bool {
        self.select.is_empty() && self.exclude.is_empty()
    }

    /// The nodes that are selected.
    ///
    /// # Errors
    /// A term that names nothing, or that is malformed.
    pub fn resolve(
        &self,
        graph: &Graph,
        about: &dyn Selectable,
    ) -> Result<BTreeSet<Address>, SelectionFault> {
        let terms = Terms { graph, about };
        let mut chosen = if self.select.is_empty() {
            graph.nodes().iter().cloned().collect()
        } else {
            terms.union(&self.select)?
        };
        for address in terms.union(&self.exclude)? {
            chosen.remove(&address);
        }
        Ok(chosen)
    }
}

struct Terms<'a> {
    graph: &'a Graph,
    about: &'a dyn Selectable,
}

impl Terms<'_> {
    fn union(&self, terms: &[String]) -> Result<BTreeSet<Address>, SelectionFault> {
        let mut chosen = BTreeSet::new();
        for term in terms.iter().flat_map(|terms| terms.split_whitespace()) {
            let mut words = term.split(',');
            let mut found = self.word(term, words.next().unwrap_or_default())?;
            for word in words {
                let other = self.word(term, word)?;
                found.retain(|address| other.contains(address));
            }
            chosen.extend(found);
        }
        Ok(chosen)
    }

    fn word(&self, term: &str, word: &str) -> Result<BTreeSet<Address>, SelectionFault> {
        let (word, with_ancestors) = word.strip_prefix('+').map_or((word, false), |word| (word, true));
        let (word, with_descendants) = word.strip_suffix('+').map_or((word, false), |word| (word, true));
        let core = self.core(term, word)?;
        let mut chosen = core.clone();
        for address in &core {
            if with_ancestors {
                chosen.extend(self.graph.ancestors(address).into_iter().cloned());
            }
            if with_descendants {
                chosen.extend(self.graph.descendants(address).into_iter().cloned());
            }
        }
        Ok(chosen)
    }

    fn core(&self, term: &str, word: &str) -> Result<BTreeSet<Address>, SelectionFault> {
        let all = self.graph.nodes().iter();
        let fault = |message: String, help: String| SelectionFault { term: term.to_owned(), message, help };
        match word.split_once(':') {
            Some(("tag", tag)) => {
                let found: BTreeSet<_> = all
                    .clone()
                    .filter(|address| self.about.tags(address).iter().any(|t| t == tag))
                    .cloned()
                    .collect();
                if found.is_empty() {
                    let known: BTreeSet<String> = all.flat_map(|address| self.about.tags(address)).collect();
                    let help = did_you_mean(tag, known.iter().map(String::as_str))
                        .unwrap_or_else(|| format!("known tags: {}", listed(&known)));
                    return Err(fault(format!("nothing has the tag `{tag}`"), help));
                }
                Ok(found)
            }
            Some(("path", path)) => {
                let path = path.trim_end_matches('/');
                let found: BTreeSet<_> = all
                    .filter(|address| {
                        self.about.paths(address).iter().any(|file| {
                            file == path || file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
                        })
                    })
                    .cloned()
                    .collect();
                if found.is_empty() {
                    let help = "give a file or folder relative to the project, such as `path:models/marts`";
                    return Err(fault(format!("nothing is declared in `{path}`"), help.to_owned()));
                }
                Ok(found)
            }
            Some(("state", "changed")) => {
                let known: Option<Vec<(bool, &Address)>> =
                    all.map(|address| Some((self.about.changed(address)?, address))).collect();
                known
                    .map(|nodes| {
                        nodes.into_iter().filter(|(changed, _)| *changed).map(|(_, a)| a.clone()).collect()
                    })
                    .ok_or_else(|| {
                        fault(
                            "this command does not look at the target, so it cannot tell what changed"
                                .to_owned(),
                            "use `state:changed` with `plan` and `apply`".to_owned(),
                        )
                    })
            }
            Some((method, _)) => Err(fault(
                format!("`{method}:` is no way to select"),
                "use a name, `tag:`, `path:` or `state:changed`, with `+` before or behind".to_owned(),
            )),
            None => {
                let found: BTreeSet<_> = all
                    .clone()
                    .filter(|address| address.name == word || address.to_string() == word)
                    .cloned()
                    .collect();
                if found.is_empty() {
                    let help = did_you_mean(word, all.map(|address| address.name.as_str()))
                        .unwrap_or_else(|| "`pipewright ls` shows all names".to_owned());
                    return Err(fault(format!("there is no source, seed or model `{word}`"), help));
                }
                Ok(found)
            }
        }
    }
}

fn listed(names: &BTreeSet<String>) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::graph;
    use super::*;

    struct About;

    impl Selectable for About {
        fn tags(&self, address: &Address) -> Vec<String> {
            if address.name.starts_with('s') { vec!["staging".to_owned()] } else { Vec::new() }
        }

        fn paths(&self, address: &Address) -> Vec<String> {
            vec![format!("models/{}/{}.sql", &address.name[..1], address.name)]
        }

        fn changed(&self, address: &Address) -> Option<bool> {
            Some(address.name == "s1")
        }
    }

    fn select(select: &[&str], exclude: &[&str]) -> Result<String, String> {
        let owned = |terms: &[&str]| terms.iter().map(|term| (*term).to_owned()).collect();
        let selection = Selection { select: owned(select), exclude: owned(exclude) };
        // r1 -> s1 -> m1 -> m2, r2 -> s2 -> m2
        let graph = graph("r1; r2; s1: r1; s2: r2; m1: s1; m2: m1 s2");
        selection
            .resolve(&graph, &About)
            .map(|found| found.iter().map(|a| a.name.clone()).collect::<Vec<_>>().join(" "))
            .map_err(|fault| format!("{}; {}", fault.message, fault.help))
    }

    #[test]
    fn terms() {
        assert_eq!(select(&[], &[]).unwrap(), "m1 m2 r1 r2 s1 s2");
        assert_eq!(select(&["m1"], &[]).unwrap(), "m1");
        assert_eq!(select(&["model.m1"], &[]).unwrap(), "m1");
        assert_eq!(select(&["+m1"], &[]).unwrap(), "m1 r1 s1");
        assert_eq!(select(&["s1+"], &[]).unwrap(), "m1 m2 s1");
        assert_eq!(select(&["+s2+"], &[]).unwrap(), "m2 r2 s2");
        assert_eq!(select(&["tag:staging"], &["s2"]).unwrap(), "s1");
        assert_eq!(select(&["path:models/m", "r1 r2"], &[]).unwrap(), "m1 m2 r1 r2");
        assert_eq!(select(&["path:models/m/m1.sql"], &[]).unwrap(), "m1");
        assert_eq!(select(&["+m2,tag:staging"], &[]).unwrap(), "s1 s2");
        assert_eq!(select(&["state:changed+"], &["m2"]).unwrap(), "m1 s1");
    }

    #[test]
    fn what_names_nothing_is_told() {
        assert!(select(&["m3"], &[]).unwrap_err().contains("did you mean"));
        assert!(select(&["tag:stagin"], &[]).unwrap_err().contains("did you mean `staging`?"));
        assert!(select(&["path:mode"], &[]).is_err());
        assert!(select(&["owner:x"], &[]).is_err());
        assert!(select(&[], &["nothing"]).is_err());
    }
}
