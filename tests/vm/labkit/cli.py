# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: lab prepare, lab list, lab run, lab shell."""

import argparse
import shutil
import signal
import sys
import time
import traceback

from labkit import clock, guest, image, scenario, terminal, tools, workbench
from labkit.errors import CheckFailed, LabError, Unavailable
from labkit.lab import Lab

_TAIL_LINES = 40
_WORKBENCH = "workbench"
_PASSED, _FAILED, _SKIPPED = 0, 1, 77  # as exit codes; tests/vm/CMakeLists.txt knows the last one


def _stop(_signal, _frame):
    """SIGTERM and SIGHUP end us the way an error does, so that the machines are switched off."""
    raise SystemExit(143)


def _prepare(_arguments):
    for path in (tools.build("build.sh"), tools.build("qemu-kernel.sh"), *guest.helpers().values()):
        print(path)
    return 0


def _list(_arguments):
    for item in scenario.load().values():
        print(f"{item.name:26} {item.summary}")
    return 0


def _tail(path):
    if not path.exists():
        return ""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
    return "".join(f"  | {line}\n" for line in lines)


def _run_one(item, quiet, keep):
    """Run a scenario; gives how it went."""
    live = None if quiet else terminal.LiveConsole(sys.stdout)
    print(f"RUN  {item.name}: {item.summary}", flush=True)
    lab, started, failure = Lab(item.name, live), time.monotonic(), None
    try:
        with clock.limit(item.timeout):
            item.function(lab)
            lab.check_rules()
    except Unavailable as error:
        print(f"SKIP {item.name}: {error}", flush=True)
        return _SKIPPED
    except (CheckFailed, LabError) as error:
        failure = str(error)
    except Exception:  # pylint: disable=broad-except; a bug in a scenario fails that scenario only
        failure = traceback.format_exc()
    finally:
        lab.close()
    if live:
        live.finish()
    seconds = time.monotonic() - started
    if failure:
        if quiet:
            print(_tail(lab.folder / "console.log"), end="")
        print(f"FAIL {item.name} ({seconds:.1f} s): {failure}")
        print(f"     console and flash: {lab.folder}", flush=True)
        return _FAILED
    where = f", console and flash: {lab.folder}"
    if quiet and not keep:
        shutil.rmtree(lab.folder)
        where = ""
    print(f"PASS {item.name} ({seconds:.1f} s){where}", flush=True)
    return _PASSED


def _run(arguments):
    known = scenario.load()
    unknown = [name for name in arguments.names if name not in known]
    if unknown:
        raise LabError(f"no such scenario: {', '.join(unknown)} (see: lab list)")
    names = arguments.names or list(known)
    ends = {name: _run_one(known[name], arguments.quiet, arguments.keep) for name in names}
    if len(names) == 1:
        return ends[names[0]]
    told = [f"{list(ends.values()).count(_PASSED)} of {len(names)} passed"]
    for end, word in ((_FAILED, "failed"), (_SKIPPED, "skipped")):
        which = [name for name in names if ends[name] == end]
        told += [f"{word}: {', '.join(which)}"] if which else []
    print("; ".join(told))
    return _FAILED if _FAILED in ends.values() else _PASSED


def _shell_machine(lab, arguments):
    """The machine that was asked for."""
    append = arguments.append
    if arguments.layout == _WORKBENCH:
        started = (workbench.on_qemu(lab, append=append) if arguments.qemu
                   else workbench.on_uml(lab, lab.flash(), append=append))
        return started.machine
    file_system, kind = image.split_layout(arguments.layout)
    flash = lab.flash(kind)
    flash.write("rootfs", lab.firmware(1, arguments.layout))
    return (lab.qemu if arguments.qemu else lab.uml)(flash, file_system, append=append)


def _shell(arguments):
    lab = Lab(f"shell-{arguments.layout}", terminal.show_raw)
    try:
        print(f"Ctrl-] switches the machine off. Console log and flash: {lab.folder}", flush=True)
        terminal.attach(_shell_machine(lab, arguments))
    finally:
        lab.close()
        print()
    return 0


def _parse():
    parser = argparse.ArgumentParser(prog="lab", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    prepare = commands.add_parser("prepare", help="build the kernels and the guest's helpers")
    prepare.set_defaults(function=_prepare)
    listing = commands.add_parser("list", help="show the scenarios")
    listing.set_defaults(function=_list)
    run = commands.add_parser("run", help="run scenarios, all of them without a name")
    run.add_argument("names", nargs="*", metavar="NAME")
    run.add_argument("--quiet", action="store_true",
                     help="show the console only of a failure; remove the work folder of a success")
    run.add_argument("--keep", action="store_true", help="with --quiet: keep the work folder")
    run.set_defaults(function=_run)
    shell = commands.add_parser("shell", help="a machine to play with")
    shell.add_argument("layout", choices=[*image.LAYOUTS, _WORKBENCH], metavar="LAYOUT",
                       help=" ".join([*image.LAYOUTS, _WORKBENCH]))
    shell.add_argument("--append", default="", help="more kernel arguments")
    shell.add_argument("--qemu", action="store_true", help="QEMU in place of User-Mode Linux")
    shell.set_defaults(function=_shell)
    return parser.parse_args()


def main():
    """Run the command line; gives the exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    arguments = _parse()
    try:
        return arguments.function(arguments)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return 130
