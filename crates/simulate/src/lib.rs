//! A B2B SaaS book with a known truth, at any size.
