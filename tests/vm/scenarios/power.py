# SPDX-License-Identifier: GPL-2.0-or-later
"""The plug is pulled in mid-update, anywhere, and again in mid-recovery: the new firmware runs."""

import random

from labkit import powercut
from labkit.powercut import Cut
from labkit.scenario import scenario

# In each of seven scenarios: more than 200 devices are cut once, and more than 50 twice.
_SINGLE, _ERASES, _DOUBLE = 26, 5, 9
_PARTS = {"nand": "9M(rootfs),256K(journal),4M(spare),-(data)",
          "nor": "4M(rootfs),128K(journal),3M(spare),-(data)"}
_COMMIT = {"nand": 64, "nor": 128}  # programs of an eraseblock
_JOURNAL = "journal = journal\n"


def _spread(first, last, count, dice):
    """Numbers from first to last, one from each of so many pieces of the way."""
    length = (last + 1 - first) / count
    return [dice.randint(int(first + n * length), max(int(first + n * length),
                                                      int(first + (n + 1) * length) - 1))
            for n in range(count)]


def _cut(operation, number, dice):
    """Each way to be cut in its turn."""
    return Cut(operation, powercut.MODES[number % len(powercut.MODES)], dice.randint(1, 999))


def _singles(total, commit, dice):
    """The first and the last operations, some of the commit, and what lies between."""
    points = [1, 1, 2, 3, 4, total - 3, total - 2, total - 1, total, total]
    points += _spread(total - commit, total - 4, 4, dice)
    points += _spread(5, total - commit - 1, _SINGLE - len(points), dice)
    dice.shuffle(points)
    return [[_cut(point, n, dice)] for n, point in enumerate(points)]


def _doubles(total, commit, dice):
    """Any operation of what is left to do is the second one; the last device was in its commit."""
    first = _spread(2, total - commit, _DOUBLE - 1, dice)
    pairs = [(point, dice.randint(1, total - point)) for point in first]
    pairs.append((dice.randint(total - commit, total - commit // 2), dice.randint(1, commit // 2)))
    return [[_cut(point, dice.randint(0, 3), dice), _cut(again, n, dice)]
            for n, (point, again) in enumerate(pairs)]


def _erases(device, stories, dice):
    """Programs are many: erases are cut at the places that those which were cut tell of."""
    found = (device.next_erase(story.chain[0].operation, story.hits[0]) for story in stories
             if story.hits)
    points = sorted(set(filter(None, found)))
    return [[_cut(point, n, dice)] for n, point in
            enumerate(dice.sample(points, min(_ERASES, len(points))))]


def _campaign(lab, seed, layout, conf="", **options):
    kind = layout.split("-")[1]
    device = powercut.Device(lab, layout, _PARTS[kind], conf, **options)
    campaign = powercut.Campaign(lab, device)
    if powercut.alone() is not None:
        campaign.run([powercut.alone()])
        campaign.check()
        return
    dice, total = random.Random(seed), campaign.count()
    print(f"{layout}: {total} operations", flush=True)
    campaign.run(_singles(total, _COMMIT[kind], dice) + _doubles(total, _COMMIT[kind], dice))
    campaign.run(_erases(device, campaign.stories, dice))
    campaign.check()
    hits = [story.hits for story in campaign.stories]
    once, twice = (sum(1 for hit in hits if len(hit) == times) for times in (1, 2))
    erases = sum(1 for hit in hits for what in hit if what.startswith("erase"))
    print(f"{once} were cut once and {twice} twice, {erases} times at an erase; "
          f"{sum(story.boots for story in campaign.stories)} boots", flush=True)
    # Operations of JFFS2 and UBI may come in between, so that a cut misses its place.
    lab.check(once >= _SINGLE + _ERASES - 2 and twice >= _DOUBLE - 1 and erases >= _ERASES - 1,
              "too few cuts hit")


@scenario(timeout=900)
def power_jffs2_nand(lab):
    """The power goes at 40 operations of an update, and 9 times in recovery: JFFS2 on NAND."""
    _campaign(lab, 1, "jffs2-nand", badblocks=[0, 9])


@scenario(timeout=900)
def power_jffs2_nand_journal(lab):
    """The same: JFFS2 on NAND, with a journal."""
    _campaign(lab, 2, "jffs2-nand", _JOURNAL)


@scenario(timeout=900)
def power_squashfs_nand(lab):
    """The same: SquashFS on NAND, with a journal; the image is in a spare partition, too."""
    _campaign(lab, 3, "squashfs-nand", f"{_JOURNAL}source = mtd:spare\n", spare=True)


@scenario(timeout=900)
def power_squashfs_nor(lab):
    """The same: SquashFS on NOR."""
    _campaign(lab, 4, "squashfs-nor")


@scenario(timeout=900)
def power_jffs2_nor(lab):
    """The same: JFFS2 on NOR, with a journal."""
    _campaign(lab, 5, "jffs2-nor", _JOURNAL)


@scenario(timeout=900)
def power_ubifs_nand(lab):
    """The same: UBIFS on NAND."""
    _campaign(lab, 6, "ubifs-nand")


@scenario(timeout=900)
def power_ubifs_nand_journal(lab):
    """The same: UBIFS on NAND, with a journal."""
    _campaign(lab, 7, "ubifs-nand", _JOURNAL)
