/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small files read and written whole, and large ones copied.
 */
#ifndef INIT_FILES_H
#define INIT_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * Reads a file (of /proc or /sys, too, whose size is not known before) into a string, at most
 * 1 MiB. The caller frees it. NULL with errno if it cannot.
 */
char *file_read_text(const char *path);

/* The same for bytes; a zero that *size does not count follows them. */
char *file_read_bytes(const char *path, size_t *size);

/* The same from an open descriptor, to its end. */
char *file_read_fd(int fd);

/* Reads what a file of /proc or /sys gives at once, and text has room for, into text. 0, or -1 with errno. */
int file_read_start(const char *path, char *text, size_t size);

/* Reads a file's first line without its end into text. 0, or -1 with errno. */
int file_read_line(const char *path, char *text, size_t size);

/*
 * As stat(2), by what the kernel knows: the server of a file system, which may never answer, is not
 * asked, unless the kernel is older than 4.11. Fills in st_mode, st_rdev, st_dev and st_ino only.
 */
int stat_cached(const char *path, struct stat *st);

/*
 * The path without symbolic links, ".." and the like, into real. 0, or -1 with errno. /proc must be
 * mounted; realpath(3) does without, and is 1 KB of musl.
 */
int file_real_path(char *real, size_t size, const char *path);

/* Takes "31:0" apart, as /sys and /proc write device numbers. False if it is none. */
bool device_number(const char *text, unsigned int *major_number, unsigned int *minor_number);

/*
 * Makes the folders that a file lies in, below the first len bytes of its path; they may be there. 0, or -1 with errno
 * and path that of the folder which cannot be made.
 */
int file_make_folders(char *path, size_t len);

/* Writes all of data. 0, or -1 with errno. */
int fd_write(int fd, const void *data, size_t len);

/* Creates or replaces a file. 0, or -1 with errno. */
int file_write(const char *path, const void *data, size_t len);

/*
 * Copies a file to a new one, which has exactly the given mode whatever the umask is. 0, or -1 with
 * errno.
 */
int file_copy(const char *from, const char *to, mode_t mode);

/*
 * The same from an open file, from where it stands to its end. keep_going, if not NULL, is asked
 * now and then; 0 ends the copy with EINTR.
 */
int file_copy_from(int in, const char *to, mode_t mode, int (*keep_going)(void));

#endif
