//! The suite that specifies Ommi's behaviour and that every driver passes.
