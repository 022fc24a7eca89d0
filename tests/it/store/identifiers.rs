//! Minting keys.

use passerelle::domain::Class;
use passerelle::store::Store;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::examples::*;
use crate::store_tests;

store_tests! {
    async fn an_item_keeps_its_key_for_ever(store: Store) {
        let ids: Vec<_> = (0..1203).map(|n| local("proposal", n, Class::Contribution)).collect();
        let mut tx = store.write().await?;
        let first = tx.mint(&ids, &mut StdRng::seed_from_u64(1)).await?;
        tx.save().await?;
        assert_eq!(first.len(), ids.len());
        let distinct: std::collections::HashSet<_> = first.values().collect();
        assert_eq!(distinct.len(), ids.len());
        let mut tx = store.write().await?;
        assert_eq!(tx.mint(&ids, &mut StdRng::seed_from_u64(2)).await?, first);
        assert_eq!(tx.minted(&ids[..3]).await?.len(), 3);
        for id in [&ids[0], &ids[1202]] {
            assert_eq!(tx.local_id_of("contributions", &first[id]).await?.as_ref(), Some(id));
        }
        assert_eq!(tx.local_id_of("comments", &first[&ids[0]]).await?, None);
    }

    async fn one_item_gives_one_key_per_path(store: Store) {
        let proposal = local("proposal", 1, Class::Contribution);
        let answer = local("proposal", 1, Class::OfficialResponse);
        let comment = local("comment", 1, Class::Comment);
        let argument = local("comment", 1, Class::Argument);
        let mut tx = store.write().await?;
        let all = [proposal.clone(), answer.clone(), comment.clone(), argument.clone()];
        let keys = tx.mint(&all, &mut StdRng::seed_from_u64(1)).await?;
        assert_ne!(keys[&proposal], keys[&answer]);
        assert_eq!(keys[&comment], keys[&argument], "a stance that becomes known does not move the comment");
    }

    async fn two_processes_mint_one_key(store: Store) {
        let ids: Vec<_> = (0..300).map(|n| local("proposal", n, Class::Contribution)).collect();
        let tasks = (0..4).map(|seed| {
            let (store, ids) = (store.clone(), ids.clone());
            async move {
                let mut tx = store.write().await?;
                let keys = tx.mint(&ids, &mut StdRng::seed_from_u64(seed)).await?;
                tx.save().await?;
                anyhow::Ok(keys)
            }
        });
        let all = futures_util::future::try_join_all(tasks).await?;
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
    }
}
