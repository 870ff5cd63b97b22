//! The deployment on AWS, in LocalStack: the template, the real Lambda, a real PostgreSQL. Left out with a line where one
//! of them is not installed (`make test` installs and builds all of it).

mod cargo_lambda;
mod chunks;
mod executor;
mod indexing;
mod papers;
mod settings;
mod store_law;
mod zip;
