// SPDX-License-Identifier: GPL-2.0-or-later
#include "ramroot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "devices.h"
#include "files.h"
#include "inittab.h"
#include "outcome.h"
#include "outcome_file.h"
#include "say.h"
#include "seals_file.h"
#include "signature.h"

enum {
	SPARE = 512 << 10, /* bytes beyond the files, for folders, nodes and rounding */
	UNDO_MS = 1000,    /* patience with a mount that is busy when it is to go again */
	AGAIN_MS = 20,
};

#define FOLDER "/flashinit.root"
#define SOURCE "flashinit" /* of the tmpfs, as a mount table shows it */

static const char *const folders[] = { "dev", "etc", "oldroot", "proc", "sbin", "sys" };

enum { PATH_ROOM = 576 }; /* the longest folder and the longest name in it fit */

static void in_dir(char path[PATH_ROOM], const struct ramroot *r, const char *name)
{
	(void)snprintf(path, PATH_ROOM, "%s/%s", r->dir, name[0] == '/' ? name + 1 : name);
}

static const char *const parents[] = { "/run", "/tmp", "/var/run", "/var/tmp", "/mnt", "" };
static const char *const existing[] = { "/mnt", "/media", "/run", "/tmp", "/opt", "/srv" };

/* One that nothing is mounted on, if there is any: that may be what is to be taken along. */
static int find_existing(char *dir, size_t size, struct fault *f)
{
	enum { COUNT = sizeof(existing) / sizeof(*existing) };
	struct stat st, root;

	if (stat("/", &root) < 0)
		return fault_errno(f, FAULT_UNFIT, "/");
	for (size_t i = 0; i < COUNT + COUNT; i++) {
		(void)snprintf(dir, size, "%s", existing[i % COUNT]);
		if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode) &&
		    (i >= COUNT || st.st_dev == root.st_dev))
			return 0;
	}
	return fault_set(f, FAULT_UNFIT,
			 "no place for the RAM root: none of /run, /tmp, /mnt, /media is there");
}

/*
 * A folder of our own where one can be made; on a read-only root an existing one has to do, and
 * what is in it is hidden until we are done.
 */
static int find_folder(struct ramroot *r, struct fault *f)
{
	for (size_t i = 0; i < sizeof(parents) / sizeof(*parents); i++) {
		(void)snprintf(r->dir, sizeof(r->dir), "%s" FOLDER, parents[i]);
		/* An empty one of this name is ours, left by an update that went no further. */
		if (mkdir(r->dir, 0700) == 0 || (rmdir(r->dir) == 0 && mkdir(r->dir, 0700) == 0)) {
			r->made_dir = true;
			return 0;
		}
	}
	return find_existing(r->dir, sizeof(r->dir), f);
}

int ramroot_foresee(char *dir, size_t size, struct fault *f)
{
	char *types = file_read_text("/proc/filesystems");
	bool has_tmpfs = types && strstr(types, "\ttmpfs\n");

	free(types);
	if (!has_tmpfs)
		return fault_set(f, FAULT_UNFIT,
				 "the kernel has no tmpfs, on which the RAM root would be");
	for (size_t i = 0; i < sizeof(parents) / sizeof(*parents); i++) {
		(void)snprintf(dir, size, "%s/", parents[i]);
		if (access(dir, W_OK) == 0)
			return 0;
	}
	return find_existing(dir, size, f);
}

/* A symbolic link in the path would lead elsewhere once the root is another one. */
static int find_place(struct ramroot *r, const struct ramroot_contents *c, struct fault *f)
{
	char real[sizeof(r->dir)];
	/* Of a root that may be half a one nothing is to be changed, and nobody else is there yet. */
	bool found = *c->plan->recover && find_existing(r->dir, sizeof(r->dir), f) == 0;

	if (c->place) {
		(void)snprintf(r->dir, sizeof(r->dir), "%s", c->place);
		r->made_dir = mkdir(r->dir, 0700) == 0;
		if (!r->made_dir && errno != EEXIST) /* what is in it is hidden meanwhile */
			return fault_errno(f, FAULT_UNFIT,
					   "%s: cannot make (free space or inodes there)", r->dir);
	} else if (!found && find_folder(r, f) < 0) {
		return -1;
	}
	if (file_real_path(real, sizeof(real), r->dir) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot be the place for the RAM root",
				   r->dir);
	memcpy(r->dir, real, strlen(real) + 1);
	return 0;
}

/*
 * pivot_root(2), there and back, refuses where the mount below the new root is shared with other
 * namespaces. It need not be the one that is there: the folder is bound onto itself, and that mount
 * made private. Had we made the other one private, nothing could make it a peer of its peers again.
 * Without a pivot of ours it would only keep the RAM root, when it is undone, in the namespaces that
 * have been made meanwhile.
 */
static int bind_folder(struct ramroot *r, struct fault *f)
{
	if (mount(r->dir, r->dir, NULL, MS_BIND, NULL) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot bind it onto itself", r->dir);
	r->bound = true;
	if (mount(NULL, r->dir, NULL, MS_PRIVATE, NULL) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot make the mount private", r->dir);
	return 0;
}

/* Access times are strict, since they tell whether init has reread its inittab. */
static int mount_tmpfs(struct ramroot *r, uint64_t bytes, struct fault *f)
{
	char options[64];

	(void)snprintf(options, sizeof(options), "mode=0755,size=%" PRIu64, bytes + SPARE);
	if (mount(SOURCE, r->dir, "tmpfs", MS_NOSUID | MS_STRICTATIME, options) < 0)
		return fault_errno(f, FAULT_UNFIT, "cannot mount a tmpfs on %s", r->dir);
	r->mounted = true;
	return 0;
}

static int make_folders(const struct ramroot *r, struct fault *f)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		char path[PATH_ROOM];

		in_dir(path, r, folders[i]);
		if (mkdir(path, 0755) < 0)
			return fault_errno(f, FAULT_FAILED, "%s: cannot make", path);
	}
	return 0;
}

static int mount_kernel_views(const struct ramroot *r, struct fault *f)
{
	static const char *const views[][2] = { { "proc", "proc" }, { "sysfs", "sys" } };

	for (size_t i = 0; i < 2; i++) {
		char path[PATH_ROOM];

		in_dir(path, r, views[i][1]);
		if (mount(views[i][0], path, views[i][0], MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) <
		    0)
			return fault_errno(f, FAULT_UNFIT, "%s: cannot mount %s", path,
					   views[i][0]);
	}
	return 0;
}

static int keep_outcome(struct ramroot *r, const struct ramroot_contents *c, struct fault *f)
{
	char path[PATH_ROOM];
	bool made;
	int result;

	if (!*c->outcome)
		return 0;
	in_dir(path, r, OUTCOME_KEPT);
	result = outcome_file_keep(c->outcome, path, &made, f);
	r->made_file = made ? c->outcome : NULL;
	return result;
}

static int copy_files(struct ramroot *r, const struct ramroot_contents *c, struct fault *f)
{
	char path[PATH_ROOM];

	in_dir(path, r, RAMROOT_INIT);
	if (file_copy("/proc/self/exe", path, 0755) < 0)
		return fault_errno(f, FAULT_FAILED, "%s: cannot copy flashinit", path);
	in_dir(path, r, c->plan->image);
	if (*c->plan->image && c->place_image(c->ctx, path, f) < 0)
		return -1;
	if (keep_outcome(r, c, f) < 0)
		return -1;
	in_dir(path, r, PLAN_FILE);
	if (plan_write(c->plan, path, f) < 0)
		return -1;
	in_dir(path, r, "/etc/inittab");
	return inittab_replace("/etc/inittab", path, RAMROOT_INIT, f);
}

static int copy_key_files(const struct ramroot *r, DIR *dir, struct fault *f)
{
	struct dirent *e;

	while ((errno = 0, e = readdir(dir))) {
		char from[PATH_ROOM], to[PATH_ROOM];

		if (!key_file_name(e->d_name))
			continue;
		(void)snprintf(from, sizeof(from), "%s/%.255s", CONFIG_KEYS, e->d_name);
		in_dir(to, r, from);
		if (file_copy(from, to, 0644) < 0)
			return fault_errno(f, FAULT_FAILED, "%s: cannot copy %s", to, from);
	}
	if (errno)
		return fault_errno(f, FAULT_FAILED, "%s: cannot list", CONFIG_KEYS);
	return 0;
}

/* The worker checks the image's signature once more: it is the one that writes. */
static int copy_keys(const struct ramroot *r, struct fault *f)
{
	char to[PATH_ROOM];
	DIR *dir = opendir(CONFIG_KEYS);
	int result;

	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return fault_errno(f, FAULT_FAILED, "%s: cannot list", CONFIG_KEYS);
	in_dir(to, r, CONFIG_KEYS);
	if (mkdir(to, 0755) < 0)
		result = fault_errno(f, FAULT_FAILED, "%s: cannot make", to);
	else
		result = copy_key_files(r, dir, f);
	(void)closedir(dir);
	return result;
}

/* It says where an image may be, should this one get lost. */
static int copy_config(const struct ramroot *r, struct fault *f)
{
	char to[PATH_ROOM];

	in_dir(to, r, CONFIG_FILE);
	if (file_copy(CONFIG_FILE, to, 0644) < 0 && errno != ENOENT)
		return fault_errno(f, FAULT_FAILED, "%s: cannot copy %s", to, CONFIG_FILE);
	return 0;
}

/* BusyBox's own way to restart falls back on /sbin/init: let that be us as well. */
static int link_init(const struct ramroot *r, struct fault *f)
{
	char from[PATH_ROOM], to[PATH_ROOM];

	in_dir(from, r, RAMROOT_INIT);
	in_dir(to, r, "/sbin/init");
	if (link(from, to) < 0)
		return fault_errno(f, FAULT_FAILED, "%s: cannot make", to);
	return 0;
}

int ramroot_make(struct ramroot *r, const struct ramroot_contents *c, struct fault *f)
{
	char dev[PATH_ROOM];

	memset(r, 0, sizeof(*r));
	if (find_place(r, c, f) == 0 && (c->place || bind_folder(r, f) == 0) &&
	    mount_tmpfs(r, c->bytes, f) == 0 && make_folders(r, f) == 0) {
		in_dir(dev, r, "dev");
		if (devices_provide(dev, f) == 0 && mount_kernel_views(r, f) == 0 &&
		    copy_files(r, c, f) == 0 && copy_keys(r, f) == 0 && copy_config(r, f) == 0 &&
		    link_init(r, f) == 0)
			return 0;
	}
	ramroot_undo(r);
	return -1;
}

int ramroot_keep_seals(const struct ramroot *r, const struct image *img, struct fault *f)
{
	char path[PATH_ROOM];

	in_dir(path, r, PLAN_SEALS);
	return seals_file_keep(path, img, f);
}

static int undo_mount(const char *path)
{
	/* Not mounted: the work ended before it came to that. */
	return umount2(path, UMOUNT_NOFOLLOW) == 0 || errno == EINVAL || errno == ENOENT ? 0 : -1;
}

static int undo_folder(const char *path)
{
	return rmdir(path) == 0 || errno == ENOENT ? 0 : -1;
}

/* Whoever happens to look around in it (find, df) makes it busy for a moment. */
static void undo(int (*one)(const char *path), const char *path)
{
	uint64_t end = clock_ms() + UNDO_MS;

	while (one(path) < 0) {
		if (clock_ms() >= end) {
			say_error("%s: cannot unmount or remove again: %s", path, strerror(errno));
			return;
		}
		(void)poll(NULL, 0, AGAIN_MS);
	}
}

static void exec_version(const struct ramroot *r)
{
	static char *const words[] = { RAMROOT_INIT, "--version", NULL };
	int null = chroot(r->dir) == 0 && chdir("/") == 0 ? open("/dev/null", O_RDWR | O_CLOEXEC)
							  : -1;

	if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0)
		(void)execv(RAMROOT_INIT, words);
	_exit(127);
}

int ramroot_try(const struct ramroot *r, struct fault *f)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return fault_errno(f, FAULT_UNFIT, "cannot fork");
	if (pid == 0)
		exec_version(r);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fault_errno(f, FAULT_FAILED, "cannot wait for the staged flashinit");
	if (status != 0)
		return fault_set(f, FAULT_UNFIT, "flashinit does not run inside the RAM root on %s",
				 r->dir);
	return 0;
}

void ramroot_undo(struct ramroot *r)
{
	static const char *const views[] = { OUTCOME_KEPT, RAMROOT_IMAGE, "sys", "proc", "dev" };

	for (size_t i = 0; r->mounted && i < sizeof(views) / sizeof(*views); i++) {
		char path[PATH_ROOM];

		in_dir(path, r, views[i]);
		undo(undo_mount, path);
	}
	if (r->mounted)
		undo(undo_mount, r->dir);
	if (r->bound)
		undo(undo_mount, r->dir);
	if (r->made_dir)
		undo(undo_folder, r->dir);
	if (r->made_file)
		(void)unlink(r->made_file); /* an empty one does no harm */
	r->made_file = NULL;
	r->mounted = r->bound = r->made_dir = false;
}

/* The folder is ours by its name, the tmpfs by its source. */
void ramroot_tidy(const struct mount_table *mounts)
{
	for (size_t i = 0; i < mounts->count; i++) {
		const struct mount *m = &mounts->mount[i];
		const char *name = strrchr(m->point, '/');
		bool own = name && strcmp(name, FOLDER) == 0;
		struct ramroot r = { .mounted = true, .bound = true, .made_dir = own };

		if (!own && (strcmp(m->source, SOURCE) != 0 || strcmp(m->type, "tmpfs") != 0))
			continue;
		/* One of several mounts there, and it has gone with the first; or even the root. */
		if (access(m->point, F_OK) < 0 || strcmp(m->point, "/") == 0 ||
		    strlen(m->point) >= sizeof(r.dir))
			continue;
		say("%s: left by an update that was killed, and removed", m->point);
		memcpy(r.dir, m->point, strlen(m->point) + 1);
		ramroot_undo(&r);
	}
}
