//! The log as a whole: what is appended is read, whatever happens in between.

mod append;
mod crash;
mod epochs;
mod flipped;
mod foreign;
mod holes;
mod model;
mod read;
mod recovery;
mod retention;
