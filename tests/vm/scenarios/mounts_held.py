# SPDX-License-Identifier: GPL-2.0-or-later
"""File systems below the old root whose server has gone."""

from functools import partial

from labkit import bench
from labkit.scenario import scenario

_NFS = """\
#!/bin/sh -e
# The kernel serves a folder of the root to itself, by NFS 4.1; what mountd would answer is told it.
ifconfig lo 127.0.0.1 up
mount -t nfsd nfsd /proc/fs/nfsd
cd /proc/fs/nfsd
mkdir /var/export /tmp/nfs
echo "-2 -3 +4 +4.1" >versions
echo 10 >nfsv4gracetime
cd /proc/net/rpc
always=2147483647
echo "nfsd 127.0.0.1 $always *" >auth.unix.ip/channel
echo "* /var/export $always 9234 65534 65534 0" >nfsd.export/channel
echo "* 1 \\\\x00000000 $always /var/export" >nfsd.fh/channel
cd /proc/fs/nfsd
echo "tcp 2049" >portlist
echo 2 >threads
mount -t nfs4 -o vers=4.1,actimeo=0,addr=127.0.0.1,clientaddr=127.0.0.1 127.0.0.1:/ /tmp/nfs
cd /tmp/nfs
mkdir inner
exec 5>x
$1
echo 0 >/proc/fs/nfsd/threads
umount /proc/fs/nfsd
sleep 1000 &
$2
"""


def _nfs_gone(lab, before="", after=""):
    """A machine with an NFS mount on /tmp/nfs whose server has gone, and a process that is in it."""
    start = partial(lab.qemu, modules={"nfsd": "", "nfsv4": ""})
    b = bench.on(lab, "jffs2-nor", start=start, filler="1M",
                 files={"bin/nfs": _NFS.replace("$1", before).replace("$2", after)})
    b.machine.sh("nfs", check=True, timeout=60)
    return b


@scenario(timeout=240)
def nfs_gone(lab):
    """The server of an NFS mount has gone: what waits for it is ended, and it is unmounted."""
    b = _nfs_gone(lab)
    b.machine.send("flashinit update --after poweroff /mnt/fw.fwi\n")
    lab.check_equal(b.machine.wait_exit(120), 0, "exit code after poweroff")
    lab.check_flash(b.flash, "rootfs", b.new)
    b.power_on(2)


@scenario(timeout=240)
def nfs_gone_unwritten(lab):
    """Data is left for such a server, and init would wait for it for ever: refused, with the reason."""
    b = _nfs_gone(lab, after="(while echo more >&5; do :; done) &")
    before = b.flash.read("rootfs", 4096)
    result = b.machine.sh("flashinit update /mnt/fw.fwi", timeout=120)
    lab.check_equal(result.code, 4, "exit code")
    lab.check("cannot be written back within 60 s" in result.out, result.out)
    b.machine.sh("test ! -e /run/flashinit.root", check=True)
    b.machine.kill()
    lab.check_equal(b.flash.read("rootfs", 4096), before, "the flash's first page")


@scenario(timeout=240)
def nfs_gone_below(lab):
    """The way to a mount leads over such a one, and never ends: it is named, nothing is erased."""
    b = _nfs_gone(lab, "mount -t tmpfs inner inner")
    before = b.flash.read("rootfs", 4096)
    b.machine.send("flashinit update /mnt/fw.fwi\n")
    b.machine.expect("/oldroot/tmp/nfs/inner gave no sign of life for 3 s", timeout=100)
    b.machine.expect("nothing was erased: going back to the old firmware")
    b.machine.up(1, timeout=60)
    b.machine.kill()
    lab.check_equal(b.flash.read("rootfs", 4096), before, "the flash's first page")
