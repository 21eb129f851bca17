"""Verification: checks that decide by execution what can be decided so."""
