//! Plans by the shape of their statements.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, PoisonError, RwLock};

use super::Plan;
use crate::query::Shape;

/// How many plans are kept; past that the cache begins anew.
const CAPACITY: usize = 4096;

/// Hashes short byte strings, eight bytes at a time.
#[derive(Default)]
pub struct ShapeHasher(u64);

impl Hasher for ShapeHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut hash = self.0;
        for word in words {
            hash = mix(hash, u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        for (slot, byte) in last.iter_mut().zip(rest) {
            *slot = *byte;
        }
        self.0 = mix(hash, u64::from_le_bytes(last) ^ bytes.len() as u64);
    }
}

#[inline]
fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The plans of a database, by the shape of their statements.
#[derive(Default)]
pub struct PlanCache {
    plans: RwLock<HashMap<Shape, Arc<Plan>, BuildHasherDefault<ShapeHasher>>>,
}

impl PlanCache {
    /// The plan of a shape, if there is one.
    #[inline]
    pub fn get(&self, shape: &Shape) -> Option<Arc<Plan>> {
        self.plans.read().unwrap_or_else(PoisonError::into_inner).get(shape).cloned()
    }

    /// Keeps a plan, and gives back the one that is kept.
    pub fn insert(&self, shape: Shape, plan: Plan) -> Arc<Plan> {
        let mut plans = self.plans.write().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= CAPACITY {
            plans.clear();
        }
        Arc::clone(plans.entry(shape).or_insert_with(|| Arc::new(plan)))
    }

    /// How many plans are kept.
    pub fn len(&self) -> usize {
        self.plans.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether no plan is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
