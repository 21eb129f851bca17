"""The review pages over HTTP."""
