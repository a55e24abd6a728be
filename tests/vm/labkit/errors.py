# SPDX-License-Identifier: GPL-2.0-or-later
"""What can go wrong, apart from bugs in the laboratory itself."""


class LabError(Exception):
    """The laboratory cannot do what was asked: a missing program, an image that does not fit."""


class Unavailable(Exception):
    """What Debian has for another CPU cannot be fetched here: the scenario is skipped, and says so."""


class CheckFailed(Exception):
    """Something is not as the scenario demands."""


class MachineError(CheckFailed):
    """The machine did not do in time what the scenario waited for, or it died."""


class ScenarioTimeout(CheckFailed):
    """The scenario as a whole took too long."""
