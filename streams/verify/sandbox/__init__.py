"""Child processes that run SQL nobody trusts, and the pool that owns them."""
