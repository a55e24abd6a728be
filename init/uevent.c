// SPDX-License-Identifier: GPL-2.0-or-later
#include "uevent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

enum {
	MESSAGE_MAX = 4096, /* the kernel's are 2 KiB at most */
	ROOM = 256 << 10,   /* bytes: for the events of a whole hub of card readers */
	KERNEL_GROUP = 1,   /* 2 is udev's */
};

int uevent_open(struct fault *f)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	int room = ROOM;
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd >= 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
		if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return fd;
		(void)close(fd);
	}
	return fault_errno(f, FAULT_UNFIT, "the kernel does not tell of new devices");
}

static const char *value_of(const char *word, const char *key)
{
	size_t len = strlen(key);

	return strncmp(word, key, len) == 0 ? word + len : NULL;
}

static enum uevent_action action_of(const char *word)
{
	if (strcmp(word, "add") == 0)
		return UEVENT_ADD;
	return strcmp(word, "remove") == 0 ? UEVENT_REMOVE : UEVENT_OTHER;
}

void uevent_parse(struct uevent *e, const char *message, size_t size)
{
	const char *value;

	memset(e, 0, sizeof(*e));
	for (size_t at = 0; at < size; at += strlen(message + at) + 1) {
		const char *word = message + at;

		if ((value = value_of(word, "ACTION=")))
			e->action = action_of(value);
		else if ((value = value_of(word, "SUBSYSTEM=")))
			(void)snprintf(e->subsystem, sizeof(e->subsystem), "%.15s", value);
		else if ((value = value_of(word, "DEVNAME=")))
			(void)snprintf(e->device, sizeof(e->device), "%.31s", value);
		else if (strcmp(word, "DISK_MEDIA_CHANGE=1") == 0)
			e->action = UEVENT_MEDIUM;
	}
}

bool uevent_next(int fd, struct uevent *e)
{
	char message[MESSAGE_MAX + 1];
	struct sockaddr_nl from = { .nl_pid = 1 };
	socklen_t from_size = sizeof(from);
	ssize_t n;

	do {
		n = recvfrom(fd, message, MESSAGE_MAX, 0, (struct sockaddr *)&from, &from_size);
		if (n < 0 && errno == ENOBUFS) {
			memset(e, 0, sizeof(*e));
			e->action = UEVENT_LOST;
			return true;
		}
	} while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid != 0)); /* not the kernel's */
	if (n <= 0)
		return false;
	message[n] = '\0';
	uevent_parse(e, message, (size_t)n + 1);
	return true;
}
