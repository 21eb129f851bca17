"""When to train: counts from the topics into a decision, and what led to it."""
