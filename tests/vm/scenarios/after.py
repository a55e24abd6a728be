# SPDX-License-Identifier: GPL-2.0-or-later
"""What follows once the flash is written."""

import re

from labkit import bench, image, initstate
from labkit.scenario import scenario

_HELD_BACK = "cat /proc/sys/vm/watermark_boost_factor"
_SHOW = "init=/usr/bin/initstate one=two -- first second"


def _state(machine):
    """As initstate.read(), less the session: an init that was PID 1 before has made it its own."""
    text, boot = initstate.read(machine)
    return re.sub(r"session \d+, group \d+", "", text), boot


def _boot(lab, layout, **options):
    """Update and boot: init is started as the kernel starts it, in the same boot; RAM is free."""
    b = bench.on(lab, layout, append=_SHOW, prompt=False, **options)
    before, boot = _state(b.machine)
    b.machine.up(1)
    b.mount_stick()
    b.machine.send("flashinit update --after boot /mnt/fw.fwi\n")
    after, same_boot = _state(b.machine)
    b.machine.up(2)
    lab.check_equal(same_boot, boot, "the boot")
    lab.check_equal(after, before, "the state that init is started in")
    used, held_back = initstate.used_kib(b.machine), b.machine.sh(_HELD_BACK).out
    b.machine.sh("sync")
    b.machine.kill()
    b.power_on(2)
    lab.check_equal(held_back, b.machine.sh(_HELD_BACK).out, "what the kernel may hold back")
    lab.check(used < initstate.used_kib(b.machine) + 1024, "the RAM root still takes memory")


@scenario()
def boot_squashfs(lab):
    """--after boot: the new SquashFS is the root, its init PID 1, started as by the kernel."""
    _boot(lab, "squashfs-nand")


@scenario()
def boot_jffs2(lab):
    """--after boot: the new JFFS2 is the root, its init PID 1, started as by the kernel."""
    _boot(lab, "jffs2-nand")


@scenario()
def boot_ubifs(lab):
    """--after boot: UBI is written anew and attached again, and UBIFS on it is the root."""
    _boot(lab, "ubifs-nand", as_payload="{},kind=ubi")


@scenario()
def boot_ubifs_volume(lab):
    """--after boot: the UBI volume is written, its UBI stays, and UBIFS on it is the root."""
    _boot(lab, "ubifs-nor",
          as_payload="{}.volume,kind=ubivol,volume=rootfs,volume-type=dynamic")


@scenario()
def boot_ubiblock(lab):
    """--after boot: UBI is written anew and attached again, and SquashFS on a ubiblock is the root."""
    _boot(lab, "ubiblock-nand", as_payload="{},kind=ubi")


@scenario()
def boot_cramfs(lab):
    """--after boot: the new CRAMFS, read in place from NOR, is the root."""
    _boot(lab, "cramfs-nor")


def _cannot_boot(lab, layout, tree, why, panic):
    """--after boot into a root that is no good: told, and a reboot, in which the kernel finds the same."""
    b = bench.on(lab, layout, stick={"bad": tree})
    b.machine.send("flashinit update --after boot --raw rootfs=/mnt/bad\n")
    b.machine.expect(why, timeout=40)
    b.machine.expect("a reboot will do instead")
    b.machine.expect(f"Kernel panic - not syncing: {panic}")


@scenario()
def boot_without_init(lab):
    """--after boot, but the new root has no init: told, and rebooted."""
    root = lab.folder / "root"
    root.mkdir()
    bad = image.pack(root, lab.folder / "bad", "squashfs", None)
    _cannot_boot(lab, "squashfs-nand", bad, "the new root has no init", "No working init found")


@scenario()
def boot_not_a_root(lab):
    """--after boot, but the image was blank, which JFFS2 would mount: told, and rebooted."""
    _cannot_boot(lab, "jffs2-nand", b"\xff" * 100000, "mtd0 holds nothing that this kernel can mount",
                 "No working init found")


@scenario()
def boot_other_file_system(lab):
    """--after boot from JFFS2 into SquashFS, which the kernel's command line knows nothing of."""
    new = lab.firmware(2, "squashfs-nand", filler="1M")
    b = bench.on(lab, "jffs2-nand", stick={"new": new})
    b.machine.send("flashinit update --after boot --raw rootfs=/mnt/new\n")
    b.machine.up(2, timeout=40)
    b.machine.sh("grep '^/dev/root / squashfs ' /proc/mounts", check=True)
    used = initstate.used_kib(b.machine)
    b.machine.kill()
    lab.check_flash(b.flash, "rootfs", new)
    machine = lab.uml(b.flash, "squashfs").up(2)
    lab.check(used < initstate.used_kib(machine) + 1024, "the image, which was in RAM, still takes memory")


@scenario(timeout=180)
def reboot_refused(lab):
    """reboot(2) is refused, by a filter that PID 1 inherits: sysrq resets the machine, 2 is up."""
    b = bench.on(lab, "squashfs-nor", lab.qemu, hardware={"init": "/usr/bin/noreboot"})
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.expect("reboot.2. does not work: Operation not permitted", timeout=60)
    b.machine.up(2)


@scenario(timeout=180)
def reboot_and_sysrq_refused(lab):
    """reboot(2) and sysrq are refused: the watchdog is fed no more, and resets the machine."""
    b = bench.on(lab, "squashfs-nor", lab.qemu, links={"usr/bin/nosysrq": "noreboot"},
                 hardware={"init": "/usr/bin/nosysrq", "devices": ["i6300esb"],
                           "modules": {"i6300esb": "heartbeat=5"}})
    b.machine.sh("watchdog -t 1 -T 5 /dev/watchdog1; "
                 "until grep -q ^active /sys/class/watchdog/watchdog1/state; do :; done", check=True)
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.expect("the watchdog is fed no more, and will reset the machine", timeout=60)
    b.machine.up(2)


@scenario(timeout=180)
def boot_qemu(lab):
    """--after boot on Debian's kernel: the same state as an initramfs has once left for init."""
    b = bench.on(lab, "jffs2-nor", lab.qemu, prompt=False, hardware={"init": "/usr/bin/initstate"},
                 append="init=/usr/bin/initstate")
    before, boot = _state(b.machine)
    b.machine.up(1)
    b.mount_stick()
    b.machine.send("flashinit update --after boot /mnt/fw.fwi\n")
    after, same_boot = _state(b.machine)
    b.machine.up(2)
    lab.check_equal(same_boot, boot, "the boot")
    before = before.replace("console (deleted)", "console")  # that of the initramfs, which has gone
    lab.check_equal(sorted(after.split("\n")), sorted(before.split("\n")), "init's state")


@scenario()
def after_exec_fails(lab):
    """--after exec of what no kernel can run: told, and rebooted into 2."""
    b = bench.on(lab, "squashfs-nand", stick={"x": "#!/"})
    b.machine.send("flashinit update --after exec:/x --include /mnt/x=/x /mnt/fw.fwi\n")
    b.machine.expect("/x cannot be run", timeout=40)
    b.machine.up(2)
