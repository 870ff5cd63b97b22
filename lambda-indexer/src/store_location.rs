//! Where in S3 the objects of the store lie: notifications name an S3 bucket and an object's whole name, the store knows
//! keys below its own prefix.

use crate::event::CreatedObject;

/// An S3 bucket, and what the names of the store's objects begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreLocation {
    /// The S3 bucket.
    pub s3_bucket: String,
    /// Without slashes at its ends; empty when the store has the whole S3 bucket.
    pub prefix: String,
}

impl StoreLocation {
    /// The key of an object in the store; `None` when it is none of the store's.
    pub fn key_of<'a>(&self, object: &'a CreatedObject) -> Option<&'a str> {
        if object.s3_bucket != self.s3_bucket {
            return None;
        }
        if self.prefix.is_empty() {
            return Some(&object.key);
        }
        object.key.strip_prefix(&self.prefix)?.strip_prefix('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_below_the_prefix_of_the_stores_bucket_have_a_key() {
        let object = |s3_bucket: &str, key: &str| CreatedObject {
            s3_bucket: s3_bucket.to_owned(),
            key: key.to_owned(),
            version: None,
        };
        let whole = StoreLocation {
            s3_bucket: "a".to_owned(),
            prefix: String::new(),
        };
        let part = StoreLocation {
            prefix: "x/y".to_owned(),
            ..whole.clone()
        };
        assert_eq!(whole.key_of(&object("a", "x/y/z")), Some("x/y/z"));
        assert_eq!(part.key_of(&object("a", "x/y/z")), Some("z"));
        for other in [object("b", "x/y/z"), object("a", "x/yz"), object("a", "z")] {
            assert_eq!(part.key_of(&other), None, "{other:?}");
        }
        assert_eq!(whole.key_of(&object("b", "z")), None);
    }
}
