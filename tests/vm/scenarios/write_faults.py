# SPDX-License-Identifier: GPL-2.0-or-later
"""flashinit write on flash that fails: the image around what failed, or no claim and no start."""

from labkit import nandsim, workbench
from labkit.nandsim import ERASEBLOCK, PAGES
from labkit.scenario import scenario
from labkit.writing import (DONE, FLASH_FAILED, check_image, check_same, raw, sample, write,
                            write_nothing)

_BLOCKS = 16
_IMAGE = sample(10 * ERASEBLOCK - 999, "new")
_BLANK = b"\xff" * ERASEBLOCK


def _old(w):
    """A former firmware, written over blank flash: every page of the partition programmed once."""
    path = w.put("old", sample(_BLOCKS * ERASEBLOCK, "old"))
    w.run(f"nandwrite -q -p /dev/mtd0 {path} 2>/dev/null || true")


def _check_image(lab, w, content, what):
    room = (_BLOCKS - len(nandsim.bad_blocks(w, 0))) * ERASEBLOCK
    found = nandsim.dump(w, 0, bad="skipbad")
    check_same(found, content.ljust(room, b"\xff"), f"{what}: the good eraseblocks")


def _check_no_start(lab, w, what):
    found = nandsim.dump(w, 0, bad="skipbad")[:ERASEBLOCK]
    check_same(found, _BLANK, f"{what}: the first good eraseblock, which should be blank")


def _page(block, page=10):
    return block * PAGES + page


@scenario(timeout=300)
def write_nand_goes_bad(lab):
    """Eraseblocks that fail to erase, program or keep data: marked bad, the image goes around."""
    w = workbench.on_qemu(lab)
    for what, faults, bad in (
            ("erase fails in the image", {"weakblocks": "4:0"}, [4]),
            ("erase of the first fails", {"weakblocks": "0:0"}, [0]),
            ("erases fail, neighbours and the last", {"weakblocks": "3:0,4:0,9:0"}, [3, 4, 9]),
            ("erase fails behind the image", {"weakblocks": "14:0"}, [14]),
            ("program fails", {"weakpages": f"{_page(4)}:1"}, [4]),
            ("program of the first fails", {"weakpages": f"{_page(0)}:1"}, [0]),
            ("program of the last page fails", {"weakpages": f"{_page(9, 62)}:1"}, [9]),
            ("does not keep its data", {"gravepages": f"{_page(4)}:0"}, [4]),
            ("the first does not keep its data", {"gravepages": f"{_page(0)}:0"}, [0]),
            ("beside old bad blocks", {"badblocks": "0,5", "weakblocks": "4:0",
                                       "weakpages": f"{_page(1)}:1"}, [0, 1, 4, 5]),
            ("BCH", {"bch": 4, "gravepages": f"{_page(2)}:0", "weakblocks": "6:0"}, [2, 6])):
        nandsim.load(w, _BLOCKS, **faults)
        _old(w)
        words = raw(w, nandsim.name(0), _IMAGE)
        write(w, words)
        lab.check_equal(nandsim.bad_blocks(w, 0), bad, f"{what}: bad eraseblocks")
        _check_image(lab, w, _IMAGE, what)
        write_nothing(w, words)


@scenario(timeout=300)
def write_nand_runs_out(lab):
    """More eraseblocks fail than there are to spare: exit code 5, the partition has no start."""
    w = workbench.on_qemu(lab)
    content = sample(_BLOCKS * ERASEBLOCK - 5, "full")
    for what, faults in (("erase fails", {"weakblocks": "7:0"}),
                         ("program fails", {"weakpages": f"{_page(7)}:1"}),
                         ("the last does not keep its data", {"gravepages": f"{_page(15)}:0"}),
                         ("program of the first fails", {"weakpages": f"{_page(0)}:1"})):
        nandsim.load(w, _BLOCKS, **faults)
        _old(w)
        write(w, raw(w, nandsim.name(0), content), FLASH_FAILED)
        _check_no_start(lab, w, what)


def _without_flips(w):
    """The partition, each page as two dumps of three have it: the flips hit the dumps, too."""
    dumps = [nandsim.dump(w, 0) for _ in range(2)]
    if dumps[0] == dumps[1]:
        return dumps[0]
    dumps.append(nandsim.dump(w, 0))
    pages = ([dump[at:at + nandsim.PAGE] for dump in dumps]
             for at in range(0, len(dumps[0]), nandsim.PAGE))
    return b"".join(max(readings, key=readings.count) for readings in pages)


@scenario(timeout=300)
def write_nand_bit_flips(lab):
    """Bits flip when they are read: what ECC corrects does no harm, the rest no false success."""
    w = workbench.on_qemu(lab)
    blocks, content = 40, sample(36 * ERASEBLOCK, "flips")
    for faults, codes in (({"bitflips": 1}, [DONE]), ({"bitflips": 4, "bch": 4}, [DONE]),
                          ({"bitflips": 8, "bch": 8}, [DONE]),
                          ({"bitflips": 3}, [DONE, FLASH_FAILED]),
                          ({"bitflips": 9, "bch": 4}, [DONE, FLASH_FAILED])):
        nandsim.load(w, blocks, **faults)
        done = w.sh(f"flashinit write {raw(w, nandsim.name(0), content)}", timeout=60)
        lab.check(done.code in codes, f"{faults}: exit code {done.code}\n{done.out}")
        found, bad = _without_flips(w), nandsim.bad_blocks(w, 0)
        good = b"".join(found[block * ERASEBLOCK:][:ERASEBLOCK]
                        for block in range(blocks) if block not in bad)
        if done.code == DONE:
            check_image(good, content, f"{faults}: success, wrong bytes")
        else:
            check_same(good[:ERASEBLOCK], _BLANK, f"{faults}: failed, and there is a start")
        if codes == [DONE]:
            lab.check_equal(bad, [], f"{faults}: bad eraseblocks")


@scenario(timeout=300)
def write_uml_goes_bad(lab):
    """The same on the strict chip: what fails to erase keeps its data, a program stops half-way."""
    last = _page(9, 62)
    for faults, bad in (({"erasefail": [0, 4]}, [0, 4]), ({"programfail": [_page(4)]}, [4]),
                        ({"programfail": [_page(0), last]}, [0, 9]),
                        ({"uncorrectable": [_page(3)]}, [3]),
                        ({"erasefail": [12], "flip": [_page(2)]}, [12])):
        chip = lab.flash(size="2M", parts="-(rootfs)")
        chip.write("rootfs", sample(_BLOCKS * ERASEBLOCK, "old"))
        w = workbench.on_uml(lab, chip, faults=faults)
        write(w, raw(w, "rootfs", _IMAGE))
        w.machine.kill()
        lab.check_equal([block for block in range(_BLOCKS) if chip.is_bad(block)], bad,
                        f"{faults}: bad eraseblocks")
        lab.check_flash(chip, "rootfs", _IMAGE)
