"""Training: frozen datasets, the gate, algorithms, evaluation."""

from infra.openmp import wait_passively

wait_passively()
