"""Review: the pages where people label, adjudicate and audit, and what they stand on."""
