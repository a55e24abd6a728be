# SPDX-License-Identifier: GPL-2.0-or-later
"""Host processes that cannot outlive the laboratory, whatever happens to it."""

import functools
import os
import subprocess

from labkit import tools

# A PID namespace's first process cannot kill itself, as flashsim's power cut does; so a shell is
# the first one, and the machine its child.
_FIRST_PROCESS = ["sh", "-c", '"$@"; exit $?', "sh"]


# User-Mode Linux counts what lies below its heap as memory that it must keep books of: where the
# host puts the heap by chance, up to 16 MiB of a machine's memory come and go with it.
_SAME_ADDRESSES = ["setarch", "-R"]


@functools.lru_cache(maxsize=None)
def _same_addresses():
    """The words that give every process the same addresses each time, where the host permits it."""
    words = [tools.find(_SAME_ADDRESSES[0]), *_SAME_ADDRESSES[1:]]
    done = subprocess.run([*words, "true"], stderr=subprocess.DEVNULL, check=False)
    return [] if done.returncode else words


def start(command, folder, terminal):
    """Start a command on a terminal (a file descriptor), in a PID namespace of its own.

    When it, or this process, ends in any way, all of its descendants end too: setpriv has the
    kernel kill unshare with us, and unshare has it kill the namespace with unshare. Call this from
    the main thread: the parent that the kernel watches is a thread.
    """
    wrapper = [tools.find("setpriv"), "--pdeathsig", "KILL",
               tools.find("unshare"), "--fork", "--pid", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        wrapper += ["--user", "--map-root-user"]
    wrapper += [*_same_addresses(), *_FIRST_PROCESS]
    return subprocess.Popen([*wrapper, *map(str, command)], cwd=folder, stdin=terminal,
                            stdout=terminal, stderr=terminal, start_new_session=True)
