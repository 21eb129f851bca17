"""A JSON Lines file that appears whole or not at all."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from consumers.export_rows import Row
from infra.full_disk import a_full_disk_is_fatal
from schemas.errors import ConfigError


@contextmanager
def lines_to(path: Path) -> Iterator[Callable[[Row], None]]:
    """What writes a row; the file is there, in the place of an older one, when the block ends well.

    Raises ``ConfigError`` where it cannot be written, ``Fatal`` where there is no room for it.
    """
    try:
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({error.strerror}); choose a folder that exists and that "
            "you may write to"
        ) from None
    try:
        with (
            a_full_disk_is_fatal(path.parent),
            os.fdopen(descriptor, "w", encoding="utf-8") as file,
        ):
            yield lambda row: _write(file, row)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp is private; a data set is as readable as any file that one writes.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(draft, 0o666 & ~umask)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def _write(file: TextIO, row: Row) -> None:
    file.write(json.dumps(row, ensure_ascii=False) + "\n")
