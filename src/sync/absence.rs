//! What may be concluded from absence: the mass guard, and nulls without a name. Pure.

/// Merely absent items of one entity, beyond which a person decides (architecture §4.6).
const ALWAYS_MANY: u64 = 50;
/// From how many on a share counts.
const FEW: u64 = 5;
/// One in this many is too many.
const SHARE: u64 = 10;

/// Whether so many absent items of so many known ones need a person: more than 50, or more than 10 %
/// and at least 5.
#[must_use]
pub(super) const fn is_mass(absent: u64, known: u64) -> bool {
    absent > ALWAYS_MANY || (absent >= FEW && absent * SHARE > known)
}

/// What an absence is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// One of the platform's nulls: held back, not gone.
    Withheld,
    /// Not there.
    Absent,
    /// It may be either: it is not shown, and nothing more is concluded.
    Unclear,
}

/// What the nulls of a list say about items that are not in it. A platform that hides an item leaves a
/// null and does not say which item it was; one that deletes an item leaves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nulls {
    /// For items that an earlier reading took for nulls.
    pub earlier: Reading,
    /// For items that are absent for the first time.
    pub new: Reading,
    /// Nulls that are none of our items, to be remembered for the next reading.
    pub strangers: u64,
}

/// Reads the nulls of one complete list: `nulls` without a name are in it now, `strangers` of them were
/// none of our items the last time; `earlier` and `new` of our items are not in it.
#[must_use]
pub(super) const fn read_nulls(nulls: u64, strangers: u64, earlier: u64, new: u64) -> Nulls {
    let ours = nulls.saturating_sub(strangers);
    let left = ours.saturating_sub(earlier);
    let of_earlier = if ours == 0 {
        Reading::Absent
    } else if ours >= earlier {
        Reading::Withheld
    } else {
        Reading::Unclear
    };
    let of_new = if left == 0 {
        if ours >= earlier || ours == 0 { Reading::Absent } else { Reading::Unclear }
    } else if left >= new {
        Reading::Withheld
    } else {
        Reading::Unclear
    };
    // Nulls beyond our absent items belong to strangers.
    let explained = if earlier + new < ours { earlier + new } else { ours };
    Nulls { earlier: of_earlier, new: of_new, strangers: nulls - explained }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_mass_guard_is_more_than_50_or_more_than_a_tenth_and_at_least_5() {
        assert!(!is_mass(50, 100_000) && is_mass(51, 100_000));
        assert!(!is_mass(4, 4) && is_mass(5, 49) && !is_mass(5, 50) && is_mass(6, 59));
        assert!(!is_mass(0, 0));
    }

    #[test]
    fn a_new_null_explains_a_new_absence() {
        let read = read_nulls(1, 0, 0, 1);
        assert_eq!(read, Nulls { earlier: Reading::Withheld, new: Reading::Withheld, strangers: 0 });
    }

    #[test]
    fn a_null_that_was_there_before_explains_nothing() {
        assert_eq!(read_nulls(1, 1, 0, 1).new, Reading::Absent);
        assert_eq!(read_nulls(0, 0, 0, 3).new, Reading::Absent);
    }

    #[test]
    fn an_item_hidden_before_keeps_its_null_and_another_is_gone() {
        let read = read_nulls(1, 0, 1, 1);
        assert_eq!((read.earlier, read.new), (Reading::Withheld, Reading::Absent));
    }

    #[test]
    fn fewer_nulls_than_absences_leave_it_open() {
        assert_eq!(read_nulls(1, 0, 0, 2).new, Reading::Unclear);
        assert_eq!(read_nulls(1, 0, 2, 0).earlier, Reading::Unclear);
        assert_eq!(read_nulls(0, 0, 1, 0).earlier, Reading::Absent, "its null is gone: so is it");
    }

    proptest! {
        #[test]
        fn nobody_is_called_gone_while_a_null_may_be_theirs(nulls in 0_u64..9, strangers in 0_u64..9, earlier in 0_u64..9, new in 0_u64..9) {
            let read = read_nulls(nulls, strangers, earlier, new);
            let ours = nulls.saturating_sub(strangers);
            if read.earlier == Reading::Absent { prop_assert_eq!(ours, 0); }
            if read.new == Reading::Absent { prop_assert!(ours == 0 || ours == earlier); }
            prop_assert!(read.strangers <= nulls);
        }
    }
}
