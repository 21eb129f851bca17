"""Answers that are Python code, checked by tests whose expected values the code never sees."""
