# SPDX-License-Identifier: GPL-2.0-or-later
"""Updates where UBI is on the flash: it is detached, or stays where only a volume is written."""

from pathlib import Path

from labkit import bench, cover, ubi
from labkit.scenario import scenario


def _run(lab, b, timeout=60):
    b.machine.send(f"flashinit update --after poweroff {b.mount_at}/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(timeout), 0, "exit code after poweroff")


def _counters(b):
    headers = map(ubi.read, ubi.blocks(b.flash, "rootfs"))
    return [header.ec if header else 0 for header in headers]


def _whole(lab, layout, **options):
    """The root is on UBI, and the whole UBI device is written anew: its counters go on."""
    b = bench.on(lab, layout, as_payload="{},kind=ubi", **options)
    before = _counters(b)
    _run(lab, b)
    lab.check_equal(ubi.differences(b.flash, "rootfs", b.new), [], "differences")
    after = _counters(b)
    lab.check(sum(after) > sum(before) and all(map(int.__ge__, after, before)),
              f"erase counters: {before}, then {after}")
    b.power_on(2)
    return b


@scenario()
def update_ubifs_nand(lab):
    """UBIFS root on NAND: unmounted, UBI detached, all of it written, and it runs."""
    _whole(lab, "ubifs-nand", badblocks=[0, 5])


@scenario()
def update_ubifs_nor(lab):
    """UBIFS root on NOR: unmounted, UBI detached, all of it written, and it runs."""
    _whole(lab, "ubifs-nor")


@scenario()
def update_ubiblock_nand(lab):
    """SquashFS root on ubiblock: unmounted, UBI detached, all of it written, and it runs."""
    _whole(lab, "ubiblock-nand")


def _volume(lab, layout, kind):
    b = bench.on(lab, layout, as_payload=f"{{}}.volume,kind=ubivol,volume=rootfs,volume-type={kind}")
    new = Path(f"{b.new}.volume").read_bytes()
    _run(lab, b)
    found = ubi.volume(b.flash, "rootfs", 0)
    lab.check(found[:len(new)] == new, "the volume does not hold the new firmware")
    b.power_on(2)


@scenario()
def update_volume_ubifs(lab):
    """UBIFS root: its own volume is written, while UBI stays attached."""
    _volume(lab, "ubifs-nand", "dynamic")


@scenario()
def update_volume_ubiblock(lab):
    """SquashFS root on ubiblock: the block device is removed, its volume is written."""
    _volume(lab, "ubiblock-nand", "static")


@scenario()
def update_volume_beside(lab):
    """Two slots: the volume that the root is not on is written, and a kernel in MTD; the root stays."""
    slot, kernel = lab.folder / "slot", b"kernel" * 20000
    slot.write_bytes(b"second slot" * 50000)
    as_volume = f"{slot},kind=ubivol,volume=second"
    images = {"ab.fwi": bench.pack(lab, "ab", {"rootfs": as_volume, "kernel": kernel}),
              "clash.fwi": bench.pack(lab, "clash", {"rootfs": as_volume, "front": kernel})}
    b = bench.on(lab, "ubiblock-nand", parts="10M(rootfs),2M(kernel),4M(data),11M@0(front)",
                 as_payload="{},kind=ubi", stick=images)
    before = b.flash.snapshot()
    result = b.machine.sh("flashinit update /mnt/clash.fwi")
    lab.check_equal(result.code, 4, "exit code")
    lab.check("rootfs and front, which share some flash" in result.out, result.out)
    lab.check(b.flash.snapshot() == before, "the flash was changed")
    b.machine.send("flashinit update --after poweroff /mnt/ab.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "kernel", kernel)
    found = ubi.volume(b.flash, "rootfs", 1)
    lab.check(found[:slot.stat().st_size] == slot.read_bytes(), "the second volume is another")
    b.power_on(1)


def _hold(b):
    """The kernel keeps a file of the root's file system open, by a mount that is no more."""
    b.machine.sh("mkdir /tmp/x && mount -o bind / /tmp/x && "
                 "echo /tmp/x/etc/version >/sys/module/flashsim/parameters/hold && umount -l /tmp/x",
                 check=True)


def _refused(lab, b, reason):
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.expect(reason, timeout=40)
    b.machine.expect("nothing was erased: going back to the old firmware")
    b.machine.up(1)
    b.machine.kill()
    lab.check_equal(b.flash.read("data"), b"\xff" * len(b.flash.read("data")), "the other target")


@scenario()
def ubi_cannot_be_detached(lab):
    """A file system without a mount keeps ubiblock busy: nothing is erased, firmware 1 is back."""
    b = bench.on(lab, "ubiblock-nand", as_payload="{},kind=ubi", payloads={"data": b"x" * 5000})
    _hold(b)
    before = b.flash.snapshot()
    _refused(lab, b, r"cannot (detach ubi0|remove the ubiblock on ubi0_0): "
                     r"(Device or r|R)esource busy")
    lab.check(b.flash.snapshot() == before, "the flash was changed")


@scenario()
def ubi_volume_stays_in_use(lab):
    """The same with UBIFS: UBI cannot be detached; nor is a volume in use written."""
    for as_payload, reason in (
            ("{},kind=ubi", "cannot detach ubi0: "),
            ("{}.volume,kind=ubivol,volume=rootfs",
             r"ubi0_0 \(rootfs\) is in use: something has taken /dev/ubi0_0 for itself")):
        b = bench.on(lab, "ubifs-nand", as_payload=as_payload, payloads={"data": b"x" * 5000})
        _hold(b)
        _refused(lab, b, reason)


@scenario()
def hidden_layer_on_ubiblock(lab):
    """ubiblock, mounted as /dev/root, is hidden below an overlay: refused before anything changes."""
    b = bench.on(lab, "ubiblock-nand", as_payload="{},kind=ubi", append="init=/etc/cover",
                 files={"etc/cover": cover.INIT})
    before = b.flash.snapshot()
    result = b.machine.sh("flashinit update /mnt/fw.fwi")
    lab.check_equal(result.code, 4, "exit code")
    lab.check("/dev/root (squashfs) is mounted on / below the root" in result.out, result.out)
    b.machine.kill()
    lab.check(b.flash.snapshot() == before, "the flash was changed")
