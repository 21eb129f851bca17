"""Finding the processes of one stack, whoever started them."""

from pathlib import Path


def processes_of(data_dir: Path) -> set[int]:
    """Pids of all running processes that name the folder in their arguments or environment."""
    needle = str(data_dir).encode()
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            zombie = (folder / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
        except OSError:
            continue
        if needle in text and not zombie:
            found.add(int(folder.name))
    return found
