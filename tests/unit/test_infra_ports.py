"""Ports of the local stack: free ones, and not those that another process draws too."""

import random
import socket

from infra.ports import LOOPBACK, free_port, is_free


def test_processes_whose_dice_are_seeded_alike_draw_different_ports() -> None:
    drawn = []
    for _ in range(2):
        random.seed(0)  # as trainings do
        drawn.append([free_port() for _ in range(4)])
    assert drawn[0] != drawn[1]


def test_a_preferred_port_is_kept_while_it_is_free() -> None:
    port = free_port()
    assert free_port(port) == port
    with socket.socket() as taken:
        taken.bind((LOOPBACK, port))
        taken.listen()
        assert not is_free(port)
        assert free_port(port) != port
