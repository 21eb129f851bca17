"""A view of the machine without its network, and with a folder of its own."""

import os
from pathlib import Path

from streams.verify.sandbox import kernel

_CLONE_NEWNS = 0x00020000
_CLONE_NEWUTS = 0x04000000
_CLONE_NEWIPC = 0x08000000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000

_OTHERS = _CLONE_NEWNET | _CLONE_NEWIPC | _CLONE_NEWUTS

_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 2, 4, 8
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000

PRIVATE_FOLDER = "/tmp"  # noqa: S108 - no shared one: a file system of the process's own


def leave_network() -> None:
    """Enter a network, IPC and user namespace with nothing in them; raises OSError."""
    user, group = os.geteuid(), os.getegid()
    try:
        kernel.unshare(_CLONE_NEWUSER | _OTHERS)
    except OSError as error:
        try:
            kernel.unshare(_OTHERS)  # which root may also where there are no user namespaces
        except OSError:
            raise OSError(f"user namespaces cannot be had: {error}") from None
        return
    # Without a mapping nobody could own the files of a private folder.
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def mount_private_folder(size_bytes: int, files: int) -> None:
    """An empty folder in memory over ``PRIVATE_FOLDER``, seen by this process alone.

    It goes away with the process. Needs what ``leave_network`` gives; raises OSError.
    """
    kernel.unshare(_CLONE_NEWNS)
    # Else, where there was no user namespace, the machine would see the folder too.
    kernel.mount(b"none", b"/", _MS_REC | _MS_PRIVATE, None)
    options = f"size={size_bytes},nr_inodes={files},mode=700"
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    kernel.mount(b"tmpfs", PRIVATE_FOLDER.encode(), flags, options.encode())
    os.chdir(PRIVATE_FOLDER)
