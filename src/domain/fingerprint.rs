//! The short form of a partner's key that two people compare by telephone: eight words or sixteen
//! digits, both from the same hash (interface.md §1.8, architecture §6 Pairing).

use std::fmt;

use super::digest::sha256;
use super::partner::Multikey;

/// SHA-256 of the 34 Multikey bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// The languages whose bip39 word list we read and print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordList {
    /// bip39 English.
    English,
    /// bip39 French.
    French,
}

impl WordList {
    fn words(self) -> &'static [&'static str; 2048] {
        match self {
            Self::English => bip39::Language::English.word_list(),
            Self::French => bip39::Language::French.word_list(),
        }
    }
}

/// Why a typed fingerprint does not fit a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// Neither 8 words, nor 16 digits, nor a whole key.
    #[error("a fingerprint is 8 words, 16 digits or a whole key `z6Mk…`; `{0}` is none of them")]
    Unreadable(String),
    /// Readable, but of another key.
    #[error("the fingerprint is not that of the key the partner shows: {shown}")]
    Different {
        /// The words of the key that was found.
        shown: String,
    },
}

impl Fingerprint {
    /// The fingerprint of a key.
    #[must_use]
    pub fn of(key: &Multikey) -> Self {
        Self(sha256(&key.bytes()))
    }

    /// Eight words: the first 88 bits, eleven at a time.
    #[must_use]
    pub fn words(&self, list: WordList) -> [&'static str; 8] {
        let bits = self.0[..11].iter().fold(0_u128, |bits, &byte| (bits << 8) | u128::from(byte));
        std::array::from_fn(|n| {
            let index = (bits >> (77 - 11 * n)) & 0x7ff;
            list.words()[usize::try_from(index).unwrap_or_default()]
        })
    }

    /// Sixteen digits: the first 8 bytes, big-endian, modulo 10^16.
    #[must_use]
    pub fn digits(&self) -> String {
        let mut first = [0_u8; 8];
        first.copy_from_slice(&self.0[..8]);
        format!("{:016}", u64::from_be_bytes(first) % 10_u64.pow(16))
    }

    /// Whether what a person typed is this fingerprint: 8 words in either language (case, accents as
    /// printed), 16 digits with any spacing, or the whole key.
    ///
    /// # Errors
    /// [`FingerprintError`] says whether it was unreadable or of another key.
    pub fn check(&self, key: &Multikey, typed: &str) -> Result<(), FingerprintError> {
        let fits = |yes: bool| {
            let shown = self.words(WordList::French).join(" ");
            if yes { Ok(()) } else { Err(FingerprintError::Different { shown }) }
        };
        let typed = typed.trim();
        if typed.starts_with("z6Mk") {
            return fits(typed == key.to_string());
        }
        let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
        if digits.len() == 16 && typed.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || c == '-') {
            return fits(digits == self.digits());
        }
        let words: Vec<String> =
            typed.split(|c: char| c.is_whitespace() || c == '-').filter(|w| !w.is_empty()).map(fold).collect();
        let known = |list: WordList| words.iter().all(|word| list.words().iter().any(|w| &fold(w) == word));
        if words.len() != 8 || !(known(WordList::French) || known(WordList::English)) {
            return Err(FingerprintError::Unreadable(typed.chars().take(120).collect()));
        }
        let same = |list: WordList| self.words(list).iter().zip(&words).all(|(ours, theirs)| &fold(ours) == theirs);
        fits(same(WordList::French) || same(WordList::English))
    }
}

/// Lower case without accents, so that words typed on any keyboard compare.
fn fold(word: &str) -> String {
    word.to_lowercase()
        .chars()
        .filter_map(|c| match c {
            'à' | 'â' | 'ä' => Some('a'),
            'é' | 'è' | 'ê' | 'ë' => Some('e'),
            'î' | 'ï' => Some('i'),
            'ô' | 'ö' => Some('o'),
            'ù' | 'û' | 'ü' => Some('u'),
            'ç' => Some('c'),
            '\u{300}'..='\u{36f}' => None,
            other => Some(other),
        })
        .collect()
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(WordList::French).join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_known_by_its_words_its_digits_and_the_whole_key() {
        let key = Multikey::new([7; 32]);
        let print = key.fingerprint();
        for typed in [
            print.words(WordList::French).join(" "),
            print.words(WordList::English).join(" ").to_uppercase(),
            print.digits(),
            key.to_string(),
        ] {
            assert_eq!(print.check(&key, &typed), Ok(()), "{typed}");
        }
        let other = Multikey::new([8; 32]);
        assert!(matches!(print.check(&key, &other.fingerprint().digits()), Err(FingerprintError::Different { .. })));
        assert!(matches!(print.check(&key, &other.to_string()), Err(FingerprintError::Different { .. })));
        assert!(matches!(print.check(&key, "one two three"), Err(FingerprintError::Unreadable(_))));
    }

    #[test]
    fn the_words_are_the_first_88_bits() {
        // SHA-256 bytes chosen so that each 11-bit group is its own number: 0, 1, 2 … 7.
        let mut bytes = [0_u8; 32];
        let bits = (0..8_u128).fold(0_u128, |bits, n| (bits << 11) | n);
        bytes[..11].copy_from_slice(&bits.to_be_bytes()[5..]);
        let words = Fingerprint(bytes).words(WordList::English);
        assert_eq!(words, ["abandon", "ability", "able", "about", "above", "absent", "absorb", "abstract"]);
    }
}
