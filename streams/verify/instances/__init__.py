"""Small fuzzed copies of a warehouse, made to tell a golden query from those that only look it.

A wrong query often gives gold's rows on the one database at hand. On a copy with a few rows a
table, few distinct values, and gold's constants and their neighbours among them, it seldom does
(the distilled test suites of Zhong, Yu and Klein 2020, drawn here anew for each golden query).
"""
