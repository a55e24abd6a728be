# SPDX-License-Identifier: GPL-2.0-or-later
"""A program of the user's that writes the flash in our stead, and what it takes along."""

from pathlib import Path

from labkit import bench, tools, workbench
from labkit.scenario import scenario

_STATE = "cat /proc/self/mountinfo; ls / /tmp /run; cat /etc/inittab"
_SCRIPT = """\
#!/bin/sh
echo "$# arguments, of them $2; image $FLASHINIT_IMAGE; $(wc -c <"$FLASHINIT_IMAGE") bytes; $PATH"
cat /proc/mounts
/usr/sbin/flash_erase -q /dev/mtd0 0 0 && exec /usr/sbin/nandwrite -q -p /dev/mtd0 /new
"""


def _stock(*names):
    """Stock tools of the host, where they are there, with their libraries."""
    programs = [tools.find(name) for name in names]
    libraries = [library for program in programs for library in workbench.libraries(program)]
    return {path.lstrip("/"): Path(path).resolve() for path in programs + libraries}


@scenario()
def exec_flashcp(lab):
    """--exec with Debian's flashcp, which is linked dynamically: it writes NOR, and 2 boots."""
    new = lab.firmware(2, "squashfs-nor", filler="1M")
    b = bench.on(lab, "squashfs-nor", files=_stock("flashcp"), stick={"new": new})
    program = tools.find("flashcp")
    b.machine.send(f"flashinit update --after poweroff --exec '{program}  -v /new /dev/mtd0' "
                   f"--include {program} --include /mnt/new=/new\n")
    b.machine.expect("flashcp  -v /new /dev/mtd0 has succeeded", timeout=60)
    lab.check_equal(b.machine.wait_exit(20), 0, "exit code after poweroff")
    content = new.read_bytes()
    lab.check(b.flash.read("rootfs", len(content)) == content, "the flash is the image")
    b.power_on(2)


@scenario()
def exec_script(lab):
    """--exec with a script that calls nandwrite, and --after boot: the new root without a reboot."""
    new = lab.firmware(2, "jffs2-nand", filler="1M")
    b = bench.on(lab, "jffs2-nand", files=_stock("flash_erase", "nandwrite"),
                 stick={"new": new, "flash.sh": _SCRIPT})
    size = int(b.machine.sh("wc -c </mnt/fw.fwi").out)
    b.machine.send("flashinit update --exec '/a/b/flash one two' --include /mnt/flash.sh=/a/b/flash "
                   "--include /usr/sbin/flash_erase --include /usr/sbin/nandwrite --include /bin/sh "
                   "--include /bin/cat --include /usr/bin/wc --include /mnt/new=/new --after boot "
                   "/mnt/fw.fwi\n")
    b.machine.expect("2 arguments, of them two; image /image.fwi; "
                     f"{size} bytes; /sbin:/usr/sbin:/bin:/usr/bin", timeout=40)
    b.machine.up(2, timeout=40)
    b.machine.sh("sync")
    b.machine.kill()
    lab.check_flash(b.flash, "rootfs", new)


@scenario()
def exec_fails(lab):
    """--exec whose program fails: tried three times, told as a failure, and 1, which is whole, boots."""
    script = ("#!/bin/sh\necho attempt, after $(pidof sleep) nobody; sleep 1000 &\n"
              "[ -e /again ] && kill -9 $$; touch /again; exit 3\n")
    applets = " ".join(f"--include /bin/{name}" for name in ("sh", "sleep", "touch", "pidof"))
    b = bench.on(lab, "squashfs-nand", stick={"fail.sh": script})
    before = b.flash.snapshot()
    b.machine.send(f"flashinit update --exec /fail --include /mnt/fail.sh=/fail {applets}\n")
    b.machine.expect("/fail: exit code 3", timeout=40)
    b.machine.expect("/fail: killed by signal 9")
    b.machine.expect("/fail has FAILED")
    b.machine.up(1, timeout=40)
    lab.check_equal(b.machine.console.count("flashinit: attempt, after nobody"), 3, "number of attempts")
    b.machine.kill()
    lab.check(b.flash.snapshot() == before, "the flash was not changed")


@scenario()
def exec_leaves_something(lab):
    """--exec whose program ends well and leaves something running: it ends before what follows."""
    script = "#!/bin/sh\n(trap '' TERM; while :; do sleep 1; done) &\nexit 0\n"
    applets = " ".join(f"--include /bin/{name}" for name in ("sh", "sleep"))
    b = bench.on(lab, "squashfs-nand", stick={"x.sh": script})
    b.machine.send(f"flashinit update --after boot --exec /x --include /mnt/x.sh=/x {applets}\n")
    b.machine.expect("/x has succeeded", timeout=40)
    b.machine.up(1, timeout=40)
    lab.check_equal(b.machine.sh("ls -l /proc/[0-9]*/exe 2>/dev/null | grep -c deleted").out, "0",
                    "programs that live on in the RAM root")


@scenario(timeout=120)
def exec_hangs(lab):
    """--exec that fails while what it has started hangs in the kernel: it is not started again."""
    script = ("#!/bin/sh\necho RUNNING\n/usr/sbin/flash_erase -q /dev/mtd0 0 0 &\n"
              "/bin/sleep 2\nexit 3\n")
    b = bench.on(lab, "squashfs-nand", files=_stock("flash_erase"), stick={"x.sh": script},
                 faults={"hang": 3})
    b.machine.send("flashinit update --exec /x --include /mnt/x.sh=/x --include /bin/sh "
                   "--include /bin/sleep --include /usr/sbin/flash_erase\n")
    b.machine.expect("will not die", timeout=80)
    b.machine.expect("/x has FAILED", timeout=20)
    lab.check_equal(b.machine.console.count("flashinit: RUNNING"), 1, "number of attempts")
    b.machine.kill()


@scenario()
def exec_on_overlay(lab):
    """--exec where the root is on no device of its own: what is to be proven is not known, refused."""
    b = bench.on(lab, "squashfs-nand")
    b.machine.sh("mkdir -p /tmp/u/up /tmp/u/work /tmp/new && mount -t overlay -o "
                 "lowerdir=/,upperdir=/tmp/u/up,workdir=/tmp/u/work over /tmp/new && "
                 "cd /tmp/new && mkdir old && pivot_root . old && mount --move old/dev dev && "
                 "mount --move old/proc proc && mount --move old/sys sys", check=True)
    result = b.machine.sh("old/sbin/flashinit update --exec /bin/true --include /bin/true")
    lab.check_equal(result.code, 4, "exit code")
    lab.check("which is on no device of its own" in result.out, result.out)


@scenario()
def exec_without_ubi(lab):
    """--exec where UBI is attached to flash that the root's shares: it is detached before."""
    script = "#!/bin/sh\necho UBI has $(/bin/ls /sys/class/ubi)\n"
    b = bench.on(lab, "squashfs-nand", parts="14M(rootfs),2M(data),1M@13M(both)",
                 append="ubi.mtd=both", stick={"script": script})
    b.machine.sh("test -e /sys/class/ubi/ubi0", check=True)
    b.machine.send("flashinit update --exec /x --include /mnt/script=/x --include /bin/sh "
                   "--include /bin/ls\n")
    b.machine.expect("UBI has version\n", timeout=40)


@scenario()
def exec_dry_run(lab):
    """--exec and --include of update --dry-run and of check: tried, and nothing is left."""
    b = bench.on(lab, "squashfs-nand", files=_stock("flashcp"))
    before = b.machine.sh(_STATE).out
    words = "--exec '/x/f -v' --include /usr/sbin/flashcp=/x/f"
    result = b.machine.sh(f"flashinit update --dry-run {words}", check=True)
    lab.check("nothing was changed" in result.out, result.out)
    b.machine.sh(f"flashinit check {words}", check=True)
    lab.check_equal(b.machine.sh(_STATE).out, before, "the system afterwards")


@scenario()
def include_errors(lab):
    """--include of what cannot be there or cannot run, --exec of what was not included: all undone."""
    files = _stock("flashcp")
    libc = next(name for name in files if "/libc.so" in name)
    files[libc + ".away"] = files.pop(libc)
    stick = {"script": "#! /bin/sh -e\n", "text": "x", "big": bytes(64 << 20),
             "elf32": b"\x7fELF\1" + bytes(100)}
    b = bench.on(lab, "squashfs-nand", files=files, stick=stick)
    before = b.machine.sh(_STATE).out
    for words, why in (
            ("--include /nothing", "--include: /nothing: No such file or directory"),
            ("--include /bin", "--include: /bin is not a file"),
            ("--include /mnt/elf32", "--include: /mnt/elf32: Exec format error"),
            ("--include /mnt/big", "too little memory"),
            ("--include mnt/text", "cannot be placed at mnt/text"),
            ("--include /mnt/text=/dev/x", "cannot be placed at /dev/x"),
            ("--include /mnt/text=/a/../dev/x", "cannot be placed at /a/../dev/x"),
            ("--include /mnt/text=//dev/x", "cannot be placed at //dev/x"),
            ("--include /mnt/text=/./../oldroot/x", "cannot be placed at"),
            ("--exec /../../../bin/sh", "/../../../bin/sh in the RAM root"),
            ("--exec /etc", "/etc in the RAM root"),
            ("--include /mnt/text=/sbin/init", "File exists"),
            ("--include /mnt/text=/t --include /bin/sh=/t", "cannot both be /t"),
            ("--include /usr/sbin/flashcp", "libc.so.6: cannot open shared object file"),
            ("--include /mnt/script", "/mnt/script needs /bin/sh, which is not included"),
            ("--exec /bin/sh", "/bin/sh in the RAM root (--include takes it along): No such file"),
            ("--exec '/mnt/text x' --include /mnt/text", "/mnt/text in the RAM root"),
            ("--after exec:/bin/sh", "/bin/sh in the RAM root (--include takes it along): No such"),
    ):
        exe = "" if "--exec" in words or "--after" in words else "--exec /sbin/flashinit "
        image = " /mnt/fw.fwi" if "--after" in words else ""
        result = b.machine.sh(f"flashinit update {exe}{words}{image}")
        lab.check(why in result.out, f"{words}: {result.out}")
        lab.check_equal(result.code in (1, 4), True, f"exit code of {words}, {result.code}")
    result = b.machine.sh("flashinit check --exec /nothing")
    lab.check_equal(result.code, 4, f"exit code of check: {result.out}")
    lab.check_equal(b.machine.sh(_STATE).out, before, "the system afterwards")
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(60), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)


def _with_library(lab):
    """A program for musl, and a library that it finds beside itself."""
    (lab.folder / "x.c").write_text('#include <stdio.h>\nvoid x(void) { puts("the library"); }\n')
    (lab.folder / "main.c").write_text("void x(void);\nint main(void) { x(); return 0; }\n")
    library, program = lab.folder / "libx.so", lab.folder / "main"
    tools.run("musl-gcc", "-shared", "-fPIC", "-Wl,-soname,libx.so", "-o", library, lab.folder / "x.c")
    tools.run("musl-gcc", "-o", program, lab.folder / "main.c", library, "-Wl,-rpath,$ORIGIN/lib")
    loader = Path("/lib/ld-musl-x86_64.so.1")
    return {"opt/x/main": program, "opt/x/lib/libx.so": library, str(loader)[1:]: loader.resolve()}


@scenario()
def include_library(lab):
    """A library that the program finds beside itself: taken along; refused where it would not be found."""
    b = bench.on(lab, "squashfs-nand", files=_with_library(lab))
    result = b.machine.sh("flashinit update --exec /y --include /opt/x/main=/y")
    lab.check_equal(result.code, 4, "exit code")
    lab.check("libx.so" in result.out and "in the RAM root" in result.out, result.out)
    b.machine.send("flashinit update --after poweroff --exec /opt/x/main --include /opt/x/main\n")
    b.machine.expect("flashinit: the library\n", timeout=40)
    lab.check_equal(b.machine.wait_exit(20), 0, "exit code after poweroff")


@scenario()
def after_exec(lab):
    """--after exec: an included program is PID 1, in the RAM root."""
    script = "#!/bin/sh\necho PID $$; cat /proc/mounts /proc/1/environ; poweroff -f\n"
    b = bench.on(lab, "squashfs-nand", stick={"script": script})
    b.machine.send("flashinit update --after exec:/end --include /mnt/script=/end "
                   "--include /bin/sh --include /bin/cat --include /sbin/poweroff /mnt/fw.fwi\n")
    b.machine.expect("PID 1\n", timeout=40)
    b.machine.expect(r"^flashinit / tmpfs rw,")
    b.machine.expect(r"HOME=/.TERM=linux")
    lab.check_equal(b.machine.wait_exit(20), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
