"""Attacks on a judge: texts that try to win without being better, and how often they do."""
