# SPDX-License-Identifier: GPL-2.0-or-later
"""Initial RAM file systems: a cpio archive ("newc") written without needing root."""

import stat


def _entry(number, name, mode, data=b"", device=(0, 0)):
    name_bytes = name.encode() + b"\0"
    fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name_bytes), 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name_bytes
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def archive(tree):
    """Pack a folder (pathlib.Path) and /dev/console; everything belongs to root."""
    entries = []

    def add(name, mode, data=b"", device=(0, 0)):
        entries.append(_entry(len(entries) + 1, name, mode, data, device))

    for path in sorted(tree.rglob("*")):
        name, mode = str(path.relative_to(tree)), path.lstat().st_mode
        if path.is_symlink():
            add(name, stat.S_IFLNK | 0o777, str(path.readlink()).encode())
        elif path.is_dir():
            add(name, mode)
        else:
            add(name, mode, path.read_bytes())
    if not (tree / "dev").is_dir():
        add("dev", stat.S_IFDIR | 0o755)
    add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    entries.append(_entry(0, "TRAILER!!!", 0))
    return b"".join(entries)
