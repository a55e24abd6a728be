# SPDX-License-Identifier: GPL-2.0-or-later
"""Host processes that cannot outlive the laboratory, whatever happens to it."""

import os
import subprocess

from labkit import tools

# A PID namespace's first process cannot kill itself, as flashsim's power cut does; so a shell is
# the first one, and the machine its child.
_FIRST_PROCESS = ["sh", "-c", '"$@"; exit $?', "sh"]


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
    return subprocess.Popen([*wrapper, *_FIRST_PROCESS, *map(str, command)], cwd=folder,
                            stdin=terminal, stdout=terminal, stderr=terminal,
                            start_new_session=True)
