"""Statements that must lose and statements that must run, by family; and what they run on."""
