"""Backup and restore of what stands in no topic: the review database and the ledger of looks."""
