//! A model version on disk: manifest, digest, verify on open, atomic write.
