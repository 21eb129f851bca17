"""Harbor Analytics, the worked example: a text-to-SQL copilot whose thumbs-up data rewarded
confident wrong SQL. Every person, answer and number here is simulated."""

from infra.openmp import wait_passively

wait_passively()
