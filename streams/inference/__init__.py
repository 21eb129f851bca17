"""Models: one contract (chat.py), over the OpenAI protocol or in this process."""

import os

# OpenMP's threads spin while they wait for each other. Beside a broker and workers on few cores
# that cost a factor of 12 (measured: 2 threads, 2 cores, load 8: 110 -> 1,300 tokens/s; where the
# cores are free it costs nothing). libgomp reads the variable once, when torch loads it, so it is
# set in the module that is imported before any that needs torch.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
