//! Sets of source columns: where a value comes from.

use std::rc::Rc;

/// Numbers of catalog columns, sorted, cheap to copy: most columns come from one column or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Sources {
    /// No column: a literal, `COUNT(*)`.
    #[default]
    None,
    /// One column, as it is or computed from.
    One(u32),
    /// Several, sorted and without repetition.
    Many(Rc<[u32]>),
}

impl Sources {
    /// The numbers in order.
    pub(super) fn as_slice(&self) -> &[u32] {
        match self {
            Self::None => &[],
            Self::One(id) => std::slice::from_ref(id),
            Self::Many(ids) => ids,
        }
    }

    /// Adds all of another set.
    pub(super) fn add(&mut self, other: &Self) {
        if other.as_slice().is_empty() || self.includes(other) {
            return;
        }
        if self.as_slice().is_empty() {
            *self = other.clone();
            return;
        }
        let (left, right) = (self.as_slice(), other.as_slice());
        let mut merged = Vec::with_capacity(left.len() + right.len());
        merged.extend_from_slice(left);
        merged.extend_from_slice(right);
        merged.sort_unstable();
        merged.dedup();
        *self = Self::Many(merged.into());
    }

    fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Many(left), Self::Many(right)) if Rc::ptr_eq(left, right) => true,
            (_, Self::Many(right)) => right.iter().all(|id| self.as_slice().binary_search(id).is_ok()),
            (_, Self::One(id)) => self.as_slice().binary_search(id).is_ok(),
            (_, Self::None) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_is_sorted_and_has_no_repetition() {
        let mut sources = Sources::One(7);
        sources.add(&Sources::None);
        sources.add(&Sources::One(3));
        sources.add(&Sources::Many(Rc::from([3, 5])));
        sources.add(&Sources::One(5));
        assert_eq!(sources.as_slice(), [3, 5, 7]);
    }
}
