//! Pipewright.
