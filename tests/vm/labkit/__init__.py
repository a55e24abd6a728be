# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines with simulated flash, and what is needed to test a firmware update on them."""
