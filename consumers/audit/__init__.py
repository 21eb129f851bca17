"""People check preferences after the fact, and what they find tells training how many are wrong."""
