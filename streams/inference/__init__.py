"""Models: one contract (chat.py), over the OpenAI protocol or in this process."""

from infra.openmp import wait_passively

wait_passively()
