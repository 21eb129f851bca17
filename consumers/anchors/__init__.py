"""Anchors: drawn from traffic, brought from elsewhere, kept out of training, sent as probes."""
