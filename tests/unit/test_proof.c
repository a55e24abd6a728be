// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers.h"
#include "proof.h"

static char mountinfo[128], swaps[128], sys[128];
static struct proof_view view = { mountinfo, swaps, sys };
static struct fault f;

static const char ram_root[] = "1 0 0:1 / / rw - tmpfs flashinit rw\n"
			       "2 1 0:6 / /proc rw - proc proc rw\n";
static const char no_swaps[] = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

/* A system in which nothing uses the flash. */
static int setup(void **state)
{
	if (temp_dir_make(state) < 0)
		return -1;
	(void)snprintf(mountinfo, sizeof(mountinfo), "%s", temp_path("mountinfo"));
	(void)snprintf(swaps, sizeof(swaps), "%s", temp_path("swaps"));
	(void)snprintf(sys, sizeof(sys), "%s", temp_path("sys"));
	write_text(mountinfo, ram_root);
	write_text(swaps, no_swaps);
	write_text(temp_path("sys/block/loop0/size"), "0\n");
	write_text(temp_path("sys/block/mtdblock3/size"), "8192\n");
	write_text(temp_path("sys/class/ubi/version"), "1\n");
	return 0;
}

static void expect_free(void)
{
	if (proof_target_free(&view, 3, "rootfs", &f) < 0)
		fail_msg("%s", f.text);
}

static void expect_used(const char *what)
{
	assert_int_equal(proof_target_free(&view, 3, "rootfs", &f), -1);
	assert_fault(&f, FAULT_BUSY, "mtd3 (rootfs) is in use: ");
	assert_fault(&f, FAULT_BUSY, what);
}

/* One more line in the mount table. */
static void mounted(const char *line)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%s%s\n", ram_root, line);
	write_text(mountinfo, text);
}

static void nothing_uses_it(void **state)
{
	expect_free();
}

static void kernel_without_swap_loop_and_ubi(void **state)
{
	assert_int_equal(unlink(swaps), 0);
	(void)snprintf(sys, sizeof(sys), "%s", temp_path("other-sys"));
	assert_int_equal(mkdir(sys, 0700), 0);
	expect_free();
}

static void mounted_by_device_number(void **state)
{
	mounted("9 1 31:3 / /oldroot rw - jffs2 whatever rw");
	expect_used("mounted on /oldroot (jffs2, whatever)");
	mounted("9 1 31:3 / / ro - squashfs /dev/root ro");
	expect_used("mounted on / (squashfs, /dev/root)");
}

static void other_device_numbers(void **state)
{
	mounted("9 1 31:4 / /data rw - jffs2 mtd:data rw");
	expect_free();
	mounted("9 1 8:3 / /data rw - ext4 /dev/sda3 rw");
	expect_free();
	mounted("9 1 31:33 / /data rw - jffs2 mtd:data rw");
	expect_free();
}

static void mounted_by_name(void **state)
{
	mounted("9 1 0:20 / /a rw - jffs2 mtd:rootfs rw");
	expect_used("(jffs2, mtd:rootfs)");
	mounted("9 1 0:20 / /a rw - jffs2 mtd:rootfs2 rw");
	expect_free();
	mounted("9 1 0:20 / /a rw - jffs2 rootfs rw");
	expect_free();
}

static void mounted_by_number_in_words(void **state)
{
	static const char *const sources[] = { "mtd3", "/dev/mtd3", "/dev/mtdblock3",
					       "/dev/mtdblock/mtdblock3", "mtdblock3" };
	static const char *const others[] = { "mtd30",         "/dev/mtd13", "/dev/mtdblock30",
					      "/dev/mtdblock", "/dev/xmtd3", "tmpfs" };
	char line[128];

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		(void)snprintf(line, sizeof(line), "9 1 0:20 / /a rw - cramfs %s rw", sources[i]);
		mounted(line);
		expect_used(sources[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		(void)snprintf(line, sizeof(line), "9 1 0:20 / /a rw - cramfs %s rw", others[i]);
		mounted(line);
		expect_free();
	}
}

static void unreadable_mount_table_proves_nothing(void **state)
{
	assert_int_equal(unlink(mountinfo), 0);
	assert_int_equal(proof_target_free(&view, 3, "rootfs", &f), -1);
	assert_fault(&f, FAULT_FAILED, "cannot read the mount table");
	write_text(mountinfo, "nonsense\n");
	assert_int_equal(proof_target_free(&view, 3, "rootfs", &f), -1);
	assert_fault(&f, FAULT_FAILED, "makes no sense");
}

static void swapped_to(void **state)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "%s/dev/zram0  partition 65532 0 100\n"
		       "/dev/mtdblock3  partition\t65532\t0\t-2\n",
		       no_swaps);
	write_text(swaps, text);
	expect_used("swap on /dev/mtdblock3");
	(void)snprintf(text, sizeof(text), "%s/dev/mtdblock33  partition 65532 0 -2\n", no_swaps);
	write_text(swaps, text);
	expect_free();
}

static void unreadable_swaps_prove_nothing(void **state)
{
	assert_int_equal(unlink(swaps), 0);
	assert_int_equal(mkdir(swaps, 0700), 0);
	assert_int_equal(proof_target_free(&view, 3, "rootfs", &f), -1);
	assert_fault(&f, FAULT_FAILED, "swaps: cannot read");
}

static void loop_device(void **state)
{
	write_text(temp_path("sys/block/loop1/loop/backing_file"), "/root/disk.img\n");
	expect_free();
	write_text(temp_path("sys/block/loop2/loop/backing_file"), "/dev/mtdblock3\n");
	expect_used("loop2 holds it");
}

static void ubi_device(void **state)
{
	write_text(temp_path("sys/class/ubi/ubi0/mtd_num"), "30\n");
	write_text(temp_path("sys/class/ubi/ubi0_0/name"), "rootfs\n");
	expect_free();
	write_text(temp_path("sys/class/ubi/ubi1/mtd_num"), "3\n");
	expect_used("ubi1 holds it");
}

static void unreadable_folder_proves_nothing(void **state)
{
	(void)snprintf(sys, sizeof(sys), "%s", temp_path("bad-sys"));
	write_text(temp_path("bad-sys/block"), "a file where a folder should be");
	assert_int_equal(proof_target_free(&view, 3, "rootfs", &f), -1);
	assert_fault(&f, FAULT_FAILED, "block: cannot list: Not a directory");
}

static void nothing_below(void **state)
{
	mounted("9 1 0:20 / /oldroots rw - tmpfs tmpfs rw");
	assert_int_equal(proof_nothing_below(&view, "/oldroot", &f), 0);
	mounted("9 1 0:20 / /oldroot/mnt/usb rw - vfat /dev/sda1 rw");
	assert_int_equal(proof_nothing_below(&view, "/oldroot", &f), -1);
	assert_fault(&f, FAULT_BUSY, "/dev/sda1 (vfat) is still mounted on /oldroot/mnt/usb");
	mounted("9 1 31:3 / /oldroot rw - jffs2 mtd:rootfs rw");
	assert_int_equal(proof_nothing_below(&view, "/oldroot", &f), -1);
	assert_int_equal(unlink(mountinfo), 0);
	assert_int_equal(proof_nothing_below(&view, "/oldroot", &f), -1);
	assert_int_equal(f.kind, FAULT_FAILED);
}

static void live_view(void **state)
{
	assert_string_equal(proof_live.mountinfo, "/proc/self/mountinfo");
	assert_string_equal(proof_live.swaps, "/proc/swaps");
	assert_string_equal(proof_live.sys, "/sys");
}

#define proof_test(name) cmocka_unit_test_setup_teardown(name, setup, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		proof_test(nothing_uses_it),
		proof_test(kernel_without_swap_loop_and_ubi),
		proof_test(mounted_by_device_number),
		proof_test(other_device_numbers),
		proof_test(mounted_by_name),
		proof_test(mounted_by_number_in_words),
		proof_test(unreadable_mount_table_proves_nothing),
		proof_test(swapped_to),
		proof_test(unreadable_swaps_prove_nothing),
		proof_test(loop_device),
		proof_test(ubi_device),
		proof_test(unreadable_folder_proves_nothing),
		proof_test(nothing_below),
		proof_test(live_view),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
