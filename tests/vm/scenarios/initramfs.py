# SPDX-License-Identifier: GPL-2.0-or-later
"""flashinit as /init of the initial RAM file system that flashpack makes."""

from pathlib import Path

from labkit import bench, paths, qemu, rootfs, tools
from labkit.scenario import scenario

_KEYS = paths.REPOSITORY / "tests" / "unit" / "fixtures"
_FWI = paths.REPOSITORY / "tests" / "tools" / "fwi.py"
# A devtmpfs is half of the memory, but was made when the initramfs had some of that.
_LOOK = ("cat /proc/1/comm; xargs -0 echo </proc/1/cmdline; ls /proc/1/fd; "
         "sed 's/size=[0-9]*k,nr_inodes=[0-9]*,//' /proc/mounts")


def _initramfs(lab, *words, name="initramfs.cpio", **config):
    """The path of an initramfs with the flashinit under test, made by flashpack."""
    path = lab.folder / name
    if config:
        file = lab.folder / f"{name}.conf"
        file.write_text("".join(f"{key.replace('_', '-')} = {value}\n"
                                for key, value in config.items()), encoding="utf-8")
        words += ("--config", file)
    tools.run(paths.FLASHPACK, "initramfs", "-o", path, "--program", paths.FLASHINIT, *words)
    return path


@scenario()
def initramfs_starts_as_init(lab):
    """Plain and compressed, the kernel unpacks it and starts its /init."""
    for name in ("a.cpio", "a.cpio.gz"):
        machine = lab.uml(initrd=_initramfs(lab, name=name, mode="recover", target="rootfs"))
        machine.expect("^flashinit: ")
        machine.kill()


@scenario()
def initramfs_with_another_archive(lab):
    """Another archive behind it: the kernel unpacks both, and the later one's configuration counts."""
    tree = lab.folder / "tree"
    (tree / "etc").mkdir(parents=True)
    (tree / "etc" / "flashinit.conf").write_text("mode = recover\ntarget = rootfs\n", encoding="utf-8")
    archive = _initramfs(lab, mode="guard", wait=1000)
    with archive.open("ab") as file:
        file.write(lab.initramfs(tree).read_bytes())
    machine = lab.uml(initrd=archive)
    machine.expect("^flashinit: .*mode=recover")
    machine.expect("^flashinit: there is no image that will do")


@scenario(timeout=150)
def initramfs_starts_in_qemu(lab):
    """So does Debian's kernel; no driver is built into it, and an image is waited for."""
    archive = _initramfs(lab, name="a.cpio.gz", mode="recover")
    machine = lab.start(qemu.bench_command(archive, lab.share()))
    machine.expect(r"^flashinit: there is no image that will do: waiting", 120)


@scenario()
def initramfs_boots_a_healthy_root(lab):
    """What the real init is given is what the kernel without an initramfs would have given it."""
    b = bench.on(lab, "squashfs-nand")
    wanted = b.machine.sh(_LOOK, check=True).out
    b.machine.kill()
    b.restart(1, initrd=_initramfs(lab))
    b.mount_stick()
    lab.check_equal(b.machine.sh(_LOOK, check=True).out, wanted, "the system behind the guard")


_LOAD = """\
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
echo LOADED
exec /init
"""


@scenario()
def initramfs_behind_a_script(lab):
    """A script of another archive, which could load modules, is started first and execs /init."""
    flash = lab.flash("nand")
    flash.write("rootfs", lab.firmware(1, "jffs2-nand", flash))
    tree = lab.folder / "tree"
    rootfs.put(tree, "bin/busybox", Path(tools.find("busybox")))
    rootfs.put(tree, "load", _LOAD)
    archive = _initramfs(lab)
    with archive.open("ab") as file:
        file.write(lab.initramfs(tree).read_bytes())
    machine = lab.uml(flash, "jffs2", initrd=archive, append="rdinit=/load")
    machine.expect("^LOADED")
    machine.up(1)


@scenario(timeout=90)
def initramfs_finishes_a_cut_update(lab):
    """The power fails in mid-update; the guard in the initramfs finishes it from the stick."""
    b = bench.on(lab, "jffs2-nand", faults={"cut": 400})
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 137, "exit code after the power cut")
    b.restart(2, initrd=_initramfs(lab))
    b.machine.kill()
    lab.check_flash(b.flash, "rootfs", b.new)


@scenario(timeout=150)
def initramfs_mends_a_torn_start(lab):
    """The start's own erase or program is cut, and no ECC fails: not booted, but written anew."""
    b = bench.on(lab, "squashfs-nand", filler="1M")
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    done = b.machine.expect(r"flashsim: (\d+) erases, (\d+) programs", timeout=40)
    b.machine.wait_exit(30)
    last = int(done.group(1)) + int(done.group(2))
    # The first of all is a stamp, and so is the last: all else is in place by then.
    for cut, mode in (2, "torn"), (last - 1, "torn"), (last, "before"):
        b = bench.on(lab, "squashfs-nand", filler="1M", faults={"cut": cut, "cutmode": mode})
        b.machine.send("flashinit update /mnt/fw.fwi\n")
        lab.check_equal(b.machine.wait_exit(60), 137, "exit code after a power cut")
        if cut == last:
            lab.check_flash(b.flash, "rootfs", b.new)
        b.restart(2, initrd=_initramfs(lab))
        lab.check("an update was cut" in b.machine.console, f"cut at {cut}: this was not seen")
        b.machine.kill()
        lab.check_flash(b.flash, "rootfs", b.new)


@scenario()
def initramfs_fills_blank_flash(lab):
    """A factory's board: nothing is on the flash, but for two bad blocks."""
    flash = lab.flash("nand", badblocks=[0, 5])
    new = lab.firmware(1, "jffs2-nand", flash, filler="1M")
    stick = lab.disk({"fw.fwi": bench.pack(lab, 1, {"rootfs": new})})
    archive = _initramfs(lab, mode="recover", after="poweroff")
    machine = lab.uml(flash, initrd=archive, disks=[stick])
    lab.check_equal(machine.wait_exit(30), 0, "exit code after poweroff")
    lab.check_flash(flash, "rootfs", new)
    lab.uml(flash, "jffs2").up(1)


@scenario()
def initramfs_key_counts(lab):
    """With a public key in it, an image that is not signed is passed over, and one that is, written."""
    flash = lab.flash("nand", parts="2M(rootfs),1M(kernel),-(data)")
    before = flash.snapshot()
    signed = lab.folder / "signed.fwi"
    tools.run(paths.FLASHPACK, "sign", "-o", signed, _KEYS / "one.fwi", _KEYS / "one.sig")
    archive = _initramfs(lab, "--key", _KEYS / "signify.pub", mode="recover", after="poweroff",
                         board="testboard")
    machine = lab.uml(flash, initrd=archive, disks=[lab.disk({"fw.fwi": _KEYS / "one.fwi"})])
    machine.expect(r"passed over: .*fw\.fwi.* not signed")
    machine.expect(r"waiting for a medium")
    lab.check(flash.snapshot() == before, "something was written")
    lab.mconsole(f"config ubd1r={lab.disk({'fw.fwi': signed}).path}")
    lab.check_equal(machine.wait_exit(30), 0, "exit code after poweroff")
    for number, part in enumerate(("rootfs", "kernel"), 1):
        content = lab.folder / part
        tools.run("python3", "-B", _FWI, "extract", _KEYS / "one.fwi", number, content)
        lab.check_flash(flash, part, content)
