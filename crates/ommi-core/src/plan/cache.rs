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
    /// The plans of look-ups by key, by the number of the model.
    of_keys: RwLock<Vec<Option<Arc<Plan>>>>,
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

    /// The plan of looking up a row of a model by its key, if there is one.
    #[inline]
    pub fn of_key(&self, model: u32) -> Option<Arc<Plan>> {
        let of_keys = self.of_keys.read().unwrap_or_else(PoisonError::into_inner);
        of_keys.get(usize::try_from(model).ok()?)?.clone()
    }

    /// Keeps the plan of looking up a row of a model by its key. Models that are made at run time may be
    /// many: those past the capacity are looked for by their shape.
    pub fn keep_of_key(&self, model: u32, plan: &Arc<Plan>) {
        let Some(place) = usize::try_from(model).ok().filter(|place| *place < CAPACITY) else { return };
        let mut of_keys = self.of_keys.write().unwrap_or_else(PoisonError::into_inner);
        if of_keys.len() <= place {
            of_keys.resize(place + 1, None);
        }
        if let Some(slot) = of_keys.get_mut(place) {
            *slot = Some(Arc::clone(plan));
        }
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
