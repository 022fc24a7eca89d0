//! Amounts of money, exact to the hundredth; never a floating-point number.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The largest amount, in hundredths: what a double, and so any JSON reader, still carries exactly.
const MOST: u64 = (1 << 53) - 1;

/// Not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount (such as 480000 or 1250.50)")]
pub struct NotAnAmount(String);

/// Not a currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a currency (three letters, such as EUR)")]
pub struct NotACurrency(String);

/// A sum in some currency, in hundredths; never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount(u64);

impl Amount {
    /// From hundredths, if a reader can still carry it exactly.
    #[must_use]
    pub fn from_hundredths(hundredths: u64) -> Option<Self> {
        (hundredths <= MOST).then_some(Self(hundredths))
    }

    /// Whole units.
    #[must_use]
    pub const fn units(self) -> u64 {
        self.0 / 100
    }

    /// What is left beside whole units, 0 to 99.
    #[must_use]
    pub const fn cents(self) -> u64 {
        self.0 % 100
    }
}

impl FromStr for Amount {
    type Err = NotAnAmount;
    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let refused = || NotAnAmount(text.chars().take(40).collect());
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) {
            return Err(refused());
        }
        // More than two decimals are taken only where they say nothing.
        let (kept, rest) = part.split_at(part.len().min(2));
        if rest.bytes().any(|b| b != b'0') {
            return Err(refused());
        }
        let units: u64 = whole.parse().map_err(|_| refused())?;
        let cents: u64 = kept.parse().map_err(|_| refused())?;
        let cents = if kept.len() == 1 { cents * 10 } else { cents };
        units.checked_mul(100).and_then(|sum| sum.checked_add(cents)).and_then(Self::from_hundredths).ok_or_else(refused)
    }
}

impl fmt::Display for Amount {
    /// Whole units without a point, else two decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cents() {
            0 => write!(f, "{}", self.units()),
            cents => write!(f, "{}.{cents:02}", self.units()),
        }
    }
}

impl TryFrom<String> for Amount {
    type Error = NotAnAmount;
    fn try_from(text: String) -> Result<Self, NotAnAmount> {
        text.parse()
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.to_string()
    }
}

/// A currency by its ISO 4217 letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The three letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Currency {
    type Err = NotACurrency;
    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        let refused = || NotACurrency(text.chars().take(40).collect());
        let letters: [u8; 3] = text.as_bytes().try_into().map_err(|_| refused())?;
        if letters.iter().all(u8::is_ascii_uppercase) { Ok(Self(letters)) } else { Err(refused()) }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = NotACurrency;
    fn try_from(text: String) -> Result<Self, NotACurrency> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.to_string()
    }
}

/// An amount in its currency. Amounts of two currencies, or of two cities, are never added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// How much.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_reads_back_and_what_is_none_is_refused() {
        for (text, written) in [("480000", "480000"), ("0", "0"), ("1250.5", "1250.50"), ("3.07", "3.07"), ("9.000", "9")] {
            assert_eq!(text.parse::<Amount>().map(|amount| amount.to_string()).as_deref(), Ok(written));
        }
        for text in
            ["", "-1", "1,5", "1.", ".5", "1e6", "NaN", "12 000", "0.001", "90071992547410.00", "18446744073709551616", "1.aé"]
        {
            assert!(text.parse::<Amount>().is_err(), "{text} was taken");
        }
        for text in ["eur", "EURO", "€", ""] {
            assert!(text.parse::<Currency>().is_err(), "{text} was taken");
        }
        assert_eq!("EUR".parse::<Currency>().map(|euro| euro.to_string()).as_deref(), Ok("EUR"));
    }
}
