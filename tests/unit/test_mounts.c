// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "helpers.h"
#include "mounts.h"

static bool no_memory;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
	if (!no_memory)
		return __real_calloc(count, size);
	errno = ENOMEM;
	return NULL;
}

/* The table of this very process is what the test says it is. */
int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode)
{
	if (strcmp(path, "/proc/self/mountinfo") == 0)
		path = temp_path("mountinfo");
	return __real_open(path, flags, mode);
}

static char *unmounted; /* the mount points, in the order of the calls; shared with children */
static const char *busy_point, *silent_point;

int __wrap_umount2(const char *point, int flags)
{
	bool force = flags & MNT_FORCE;

	(void)strcat(strcat(strcat(unmounted, force ? "force " : ""), point), ";");
	assert_int_equal(flags & ~MNT_FORCE, UMOUNT_NOFOLLOW); /* above all not MNT_DETACH */
	while (silent_point && path_below(point, silent_point) && !force)
		(void)pause();
	if (!busy_point || strcmp(point, busy_point) != 0)
		return 0;
	errno = EBUSY;
	return -1;
}

static int share(void **state)
{
	unmounted = mmap(NULL, 512, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return unmounted == MAP_FAILED ? -1 : 0;
}

static struct mount_table t;
static struct fault f;

static int parse(const char *text)
{
	return mounts_parse(&t, strdup(text), &f);
}

static void expect(size_t n, unsigned int major, unsigned int minor, const char *point,
		   const char *type, const char *source, const char *options)
{
	const struct mount *m = &t.mount[n];

	assert_int_equal(m->major, major);
	assert_int_equal(m->minor, minor);
	assert_string_equal(m->point, point);
	assert_string_equal(m->type, type);
	assert_string_equal(m->source, source);
	assert_string_equal(m->super_options, options);
}

static const char device[] =
	"14 0 31:3 / / ro,relatime - squashfs /dev/root ro,errors=continue\n"
	"15 14 0:5 / /dev rw,relatime - devtmpfs devtmpfs rw,size=59596k,nr_inodes=14899,mode=755\n"
	"16 14 0:14 / /proc rw,nosuid shared:5 - proc proc rw\n"
	"17 14 0:15 / /sys rw shared:6 master:1 propagate_from:2 - sysfs sysfs rw\n"
	"18 14 31:4 / /overlay rw,noatime - jffs2 mtd:rootfs_data rw\n"
	"19 14 0:16 / /mnt rw - overlay overlayfs:/overlay "
	"rw,lowerdir=/,upperdir=/overlay/upper,workdir=/overlay/work\n"
	"20 14 0:17 /sub/dir /ubi rw - ubifs ubi0:data rw,ubi=0,vol=1\n";

static void real_table(void **state)
{
	assert_int_equal(parse(device), 0);
	assert_int_equal(t.count, 7);
	expect(0, 31, 3, "/", "squashfs", "/dev/root", "ro,errors=continue");
	expect(1, 0, 5, "/dev", "devtmpfs", "devtmpfs", "rw,size=59596k,nr_inodes=14899,mode=755");
	expect(2, 0, 14, "/proc", "proc", "proc", "rw");
	expect(3, 0, 15, "/sys", "sysfs", "sysfs", "rw");
	expect(4, 31, 4, "/overlay", "jffs2", "mtd:rootfs_data", "rw");
	expect(5, 0, 16, "/mnt", "overlay", "overlayfs:/overlay",
	       "rw,lowerdir=/,upperdir=/overlay/upper,workdir=/overlay/work");
	expect(6, 0, 17, "/ubi", "ubifs", "ubi0:data", "rw,ubi=0,vol=1");
	mounts_free(&t);
	assert_int_equal(t.count, 0);
	mounts_free(&t);
}

static void escapes(void **state)
{
	assert_int_equal(parse("1 0 8:1 / /mnt/my\\040disk\\011x\\012y\\134z rw - ext4 "
			       "/dev/disk\\040one rw,lowerdir=/a\\040b:/c\n"),
			 0);
	expect(0, 8, 1, "/mnt/my disk\tx\ny\\z", "ext4", "/dev/disk one", "rw,lowerdir=/a b:/c");
	mounts_free(&t);
	/* What only looks like an escape stays. */
	assert_int_equal(parse("1 0 8:1 / /a\\04 rw - ext4 /dev/\\9999 rw,x=\\\n"), 0);
	expect(0, 8, 1, "/a\\04", "ext4", "/dev/\\9999", "rw,x=\\");
	mounts_free(&t);
}

static void bytes_above_ascii(void **state)
{
	assert_int_equal(parse("1 0 8:1 / /m\303\274ll\\303\\274 rw - ext4 x rw\n"), 0);
	expect(0, 8, 1, "/m\303\274ll\303\274", "ext4", "x", "rw");
	mounts_free(&t);
}

static void odd_but_fine(void **state)
{
	assert_int_equal(parse(""), 0);
	assert_int_equal(t.count, 0);
	mounts_free(&t);
	/* no source, and no newline at the end */
	assert_int_equal(parse("1 0 0:9 / /tmp rw - tmpfs  rw,size=1k"), 0);
	expect(0, 0, 9, "/tmp", "tmpfs", "", "rw,size=1k");
	mounts_free(&t);
}

static void malformed(void **state)
{
	static const char *const lines[] = {
		"nonsense",
		"14 0 31:3 / / rw squashfs /dev/root ro", /* no separator */
		"14 0 31:3 / - squashfs /dev/root ro",    /* too few fields before it */
		"14 0 31:3 / / rw - squashfs",            /* too few behind it */
		"14 0 31:3 / / rw - squashfs /dev/root",
		"14 0 31 / / rw - squashfs /dev/root ro", /* no device */
		"14 0 x:y / / rw - squashfs /dev/root ro",
		" - ",
		" - - - ",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		char text[256];

		(void)snprintf(text, sizeof(text), "1 0 0:9 / /tmp rw - tmpfs x rw\n%s\n",
			       lines[i]);
		assert_int_equal(parse(text), -1);
		assert_fault(&f, FAULT_FAILED, "the mount table has a line that makes no sense");
		assert_fault(&f, FAULT_FAILED, lines[i]); /* whole, though parsing took it apart */
		mounts_free(&t);
	}
}

static void without_memory(void **state)
{
	no_memory = true;
	assert_int_equal(parse(device), -1);
	no_memory = false;
	assert_fault(&f, FAULT_FAILED, "no memory for the mount table");
	mounts_free(&t);
}

static void reads_a_file(void **state)
{
	write_text(temp_path("mountinfo"), device);
	assert_int_equal(mounts_read(&t, temp_path("mountinfo"), &f), 0);
	assert_int_equal(t.count, 7);
	mounts_free(&t);
	assert_int_equal(mounts_read(&t, temp_path("none"), &f), -1);
	assert_fault(&f, FAULT_FAILED, "none: cannot read the mount table: No such file");
	mounts_free(&t);
}

static void below(void **state)
{
	assert_true(path_below("/oldroot", "/oldroot"));
	assert_true(path_below("/oldroot/proc", "/oldroot"));
	assert_true(path_below("/oldroot/a/b", "/oldroot"));
	assert_false(path_below("/oldroot2", "/oldroot"));
	assert_false(path_below("/oldroo", "/oldroot"));
	assert_false(path_below("/", "/oldroot"));
	assert_false(path_below("/mnt/oldroot", "/oldroot"));
}

static const char stack[] = "1 0 0:1 / / rw - tmpfs flashinit rw\n"
			    "2 1 31:3 / /oldroot rw - jffs2 mtd:rootfs rw\n"
			    "3 2 0:5 / /oldroot/dev rw - devtmpfs dev rw\n"
			    "4 1 0:6 / /oldroot2 rw - tmpfs x rw\n"
			    "5 2 0:7 / /oldroot/mnt\\040x rw - tmpfs x rw\n"
			    "6 1 0:8 / /proc rw - proc proc rw\n";

static void unmounts_newest_first(void **state)
{
	unsigned int gone, left;

	write_text(temp_path("mountinfo"), stack);
	unmounted[0] = '\0';
	busy_point = NULL;
	assert_int_equal(mounts_unmount_pass("/oldroot", &gone, &left, &f), 0);
	assert_string_equal(unmounted, "/oldroot/mnt x;/oldroot/dev;/oldroot;");
	assert_int_equal(gone, 3);
	assert_int_equal(left, 0);
}

static void names_what_is_busy(void **state)
{
	unsigned int gone, left;

	write_text(temp_path("mountinfo"), stack);
	unmounted[0] = '\0';
	busy_point = "/oldroot";
	assert_int_equal(mounts_unmount_pass("/oldroot", &gone, &left, &f), 0);
	assert_int_equal(gone, 2);
	assert_int_equal(left, 1);
	assert_fault(&f, FAULT_BUSY,
		     "cannot unmount /oldroot (jffs2, mtd:rootfs): Device or resource busy");
	busy_point = "/oldroot/dev"; /* the others are tried all the same */
	unmounted[0] = '\0';
	assert_int_equal(mounts_unmount_pass("/oldroot", &gone, &left, &f), 0);
	assert_string_equal(unmounted, "/oldroot/mnt x;/oldroot/dev;/oldroot;");
	assert_int_equal(left, 1);
}

static const char servers[] = "2 1 31:3 / /oldroot rw - jffs2 mtd:rootfs rw\n"
			      "3 2 0:5 / /oldroot/a rw - nfs4 server:/ rw\n"
			      "4 2 0:6 / /oldroot/b rw - fuse.sshfs x rw\n"
			      "5 2 0:7 / /oldroot/c rw - cifs x rw\n"
			      "6 3 0:8 / /oldroot/a/x rw - tmpfs x rw\n";

/* The servers of two have gone for ever; another has somebody in it, whatever force does. */
static void what_has_a_server_may_need_force(void **state)
{
	unsigned int gone, left;

	write_text(temp_path("mountinfo"), servers);
	unmounted[0] = '\0';
	busy_point = "/oldroot/c";
	silent_point = "/oldroot/a";
	assert_int_equal(mounts_unmount_pass("/oldroot", &gone, &left, &f), 0);
	assert_string_equal(
		unmounted, "/oldroot/a/x;force /oldroot/a/x;/oldroot/c;force /oldroot/c;/oldroot/b;"
			   "/oldroot/a;force /oldroot/a;/oldroot;");
	assert_int_equal(gone, 4);
	assert_int_equal(left, 1);
	assert_fault(&f, FAULT_BUSY, "cannot unmount /oldroot/c (cifs, x)");
	busy_point = silent_point = NULL;
}

static void no_table_no_pass(void **state)
{
	unsigned int gone, left;

	unmounted[0] = '\0';
	assert_int_equal(mounts_unmount_pass("/oldroot", &gone, &left, &f), -1);
	assert_int_equal(f.kind, FAULT_FAILED);
	assert_string_equal(unmounted, "");
}

/* Of what is mounted on / one over the other, the last counts. */
static void root(void **state)
{
	assert_int_equal(parse("1 1 0:2 / / rw - rootfs rootfs rw\n"
			       "2 1 31:3 / / ro - squashfs /dev/mtdblock3 ro\n"
			       "3 2 0:6 / /proc rw - proc proc rw\n"),
			 0);
	assert_string_equal(mounts_root(&t)->type, "squashfs");
	mounts_free(&t);
	assert_int_equal(parse("3 2 0:6 / /proc rw - proc proc rw\n"), 0);
	assert_null(mounts_root(&t));
	mounts_free(&t);
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_table),
		cmocka_unit_test(escapes),
		cmocka_unit_test(bytes_above_ascii),
		cmocka_unit_test(odd_but_fine),
		cmocka_unit_test(malformed),
		cmocka_unit_test(without_memory),
		file_test(reads_a_file),
		cmocka_unit_test(root),
		cmocka_unit_test(below),
		file_test(unmounts_newest_first),
		file_test(names_what_is_busy),
		file_test(no_table_no_pass),
		file_test(what_has_a_server_may_need_force),
	};

	return cmocka_run_group_tests(tests, share, NULL);
}
