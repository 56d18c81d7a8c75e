//! Process 1.
pub mod unit;
