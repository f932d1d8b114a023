//! compile

pub mod template;
