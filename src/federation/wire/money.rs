//! An amount of money: `schema:MonetaryAmount`. The amount is a decimal in text, because a number of JSON
//! is a double (participation.md §4.3.2 `budgetEnvelope`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scalar::{CurrencyCode, Decimal, constant};
use crate::domain::money::{Amount, Currency, Money};

constant!(
    /// The `type` of an amount.
    MonetaryAmountType = "schema:MonetaryAmount"
);

/// How much of which currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MonetaryAmount {
    /// Always `schema:MonetaryAmount`; absent in what older writers sent.
    #[serde(rename = "type", default)]
    pub node_type: MonetaryAmountType,
    /// The amount, a decimal in text.
    #[schemars(with = "Decimal")]
    pub amount: Amount,
    /// ISO 4217.
    #[schemars(with = "CurrencyCode")]
    pub currency: Currency,
}

impl MonetaryAmount {
    /// The node of an amount.
    #[must_use]
    pub const fn of(money: &Money) -> Self {
        Self { node_type: MonetaryAmountType::Value, amount: money.amount, currency: money.currency }
    }

    /// The amount that this node describes.
    #[must_use]
    pub const fn read(&self) -> Money {
        Money { amount: self.amount, currency: self.currency }
    }
}
