"""The whole story: every algorithm, two rounds, several seeds, a table with its spread."""
