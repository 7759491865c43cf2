//! A share of the accounts.

use std::str::FromStr;

use thiserror::Error;

use crate::split::hash;

/// Share `number` of `of`, written `number/of`. An account is in the share `h % of + 1`, where `h` is the first 8 bytes
/// of the SHA-256 of its id, little-endian: the same on every machine and in every release, whatever other accounts
/// there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: u32,
    of: u32,
}

/// Not a share.
#[derive(Debug, Error)]
#[error("`{0}` is no shard; a shard is I/N with 1 <= I <= N, such as 2/8")]
pub struct NoShard(String);

impl Shard {
    /// Whether the account is in this share.
    pub fn has(self, account: &str) -> bool {
        hash(account) % u64::from(self.of) == u64::from(self.number - 1)
    }
}

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err(NoShard(text.to_owned())),
        }
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_is_in_one_share() {
        let shards: Vec<Shard> = (1..=7).map(|number| Shard { number, of: 7 }).collect();
        for account in 0..1000 {
            let id = format!("c-{account}");
            assert_eq!(shards.iter().filter(|shard| shard.has(&id)).count(), 1, "{id}");
        }
    }

    /// `printf c-1 | sha256sum` begins with `a6f7ef47ee8dc84a`: `0x4ac8_8dee_47ef_f7a6 % 1000` is 166.
    #[test]
    fn shares_do_not_change_between_releases() {
        let number = |of: u32| (1..=of).find(|&number| Shard { number, of }.has("c-1"));
        assert_eq!((number(1), number(1000)), (Some(1), Some(167)));
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for text in ["", "1", "0/3", "4/3", "1/0", "-1/3", "1/3/5", "a/b"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        let shard: Shard = "2/8".parse().expect("it is one");
        assert_eq!(shard.to_string(), "2/8");
    }
}
