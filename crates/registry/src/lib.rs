//! Versions of bundles under a models folder, and their audit log.
