"""A disk that takes no more, whichever library met it, as one sentence."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import Fatal

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# safetensors and torch raise errors of their own, which carry the system's only as text.
_SAID = (*map(os.strerror, _NO_ROOM), "PytorchStreamWriter failed", "unexpected pos")


@contextmanager
def a_full_disk_is_fatal(folder: Path) -> Iterator[None]:
    """Raises ``Fatal`` where what is done inside found no room for a file."""
    try:
        yield
    except Exception as error:
        no_room = isinstance(error, OSError) and error.errno in _NO_ROOM
        if not no_room and not any(text in str(error) for text in _SAID):
            raise
        raise Fatal(
            f"{folder}: no room to write ({str(error).splitlines()[0]}); free some space and start "
            "the same command again"
        ) from error
