//! How an enumeration of the vocabulary is written: one word per value, the same on the wire, in the
//! database and in a mapping profile.

/// A word that is not in an enumeration's list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not a {list} (known: {known})")]
pub struct UnknownWord {
    /// The word that was met.
    pub word: String,
    /// Which enumeration was asked.
    pub list: &'static str,
    /// Every word it knows, in order.
    pub known: String,
}

/// Declares an enumeration with its words; serde, `Display`, `FromStr` and `ALL` follow from them.
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name { $(#[doc = concat!("Written `", $word, "`.")] $(#[$vmeta])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every value, in the order of the vocabulary.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word of this value, as on the wire.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::vocabulary::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::domain::vocabulary::UnknownWord {
                        word: word.chars().take(80).collect(),
                        list: stringify!($name),
                        known: [$($word),+].join(", "),
                    }),
                }
            }
        }
    };
}
