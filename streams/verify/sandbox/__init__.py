"""Child processes that run SQL and code nobody trusts, and the pools that own them."""
