// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * procd: a PID 1 that does what OpenWrt's procd does when it is asked for a sysupgrade (system.c, sysupgrade.c and
 * watchdog.c of procd), and its ubus client, if that is its name. Without ubus itself: the request is a packet.
 *
 * Of its own it runs /etc/rc, a service, whose number is in /run/service, and a shell on the console, again and
 * again. As "refuses" it does not know the method sysupgrade; as "late" it says that it has failed, but does it all
 * the same when /oldroot is gone. Unlike procd it has a shell run even then. Ubusd is one of the services that are
 * stopped before.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OK = 0, NOT_FOUND = 3, INVALID_ARGUMENT = 2, TIMED_OUT = 7, NOT_SUPPORTED = 8, UNKNOWN = 9 };
enum { REQUEST_MAX = 1024, TERM_TIMEOUT = 2, PING_MS = 500 };

#define VALIDATE "/usr/libexec/validate_firmware_image"

static const struct sockaddr_un address = { AF_UNIX, "/run/ubus.sock" };
static int watchdog = -1;
static pid_t shell, service;
static int listener, client; /* of ubusd */

static int call(int argc, char **argv)
{
	int to = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	char request[REQUEST_MAX];
	unsigned char code = UNKNOWN;

	if (argc < 4 || strcmp(argv[argc - 4], "call") != 0 ||
	    strcmp(argv[argc - 3], "system") != 0)
		return INVALID_ARGUMENT;
	if (connect(to, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		fprintf(stderr, "Failed to connect to ubus\n");
		return 255;
	}
	snprintf(request, sizeof(request), "%s %s", argv[argc - 2], argv[argc - 1]);
	if (write(to, request, strlen(request) + 1) < 0 || read(to, &code, 1) != 1)
		code = UNKNOWN;
	if (code != OK)
		fprintf(stderr, "Command failed: %d\n", code);
	else
		printf("{ }\n");
	return code;
}

/* The text of "name": "text", in text itself; NULL if there is none. */
static char *find_text(const char *json, const char *name)
{
	char quoted[64], *at, *end;

	snprintf(quoted, sizeof(quoted), "\"%s\":", name);
	at = strstr(json, quoted);
	at = at ? strchr(at + strlen(quoted), '"') : NULL;
	end = at ? strchr(at + 1, '"') : NULL;
	return end ? strndup(at + 1, (size_t)(end - at - 1)) : NULL;
}

/* 1 or 0, or -1 if it is not there. */
static int find_bool(const char *json, const char *name)
{
	char quoted[64];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":", name);
	at = strstr(json, quoted);
	if (!at)
		return -1;
	at += strlen(quoted);
	at += strspn(at, " ");
	return strncmp(at, "true", 4) == 0;
}

static void validate(int to, const char *file)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, STDIN_FILENO);
	dup2(null, STDERR_FILENO);
	dup2(to, STDOUT_FILENO);
	execl(VALIDATE, VALIDATE, file, (char *)NULL);
	exit(errno);
}

/* As system.c has it, but for "force": valid, forceable and allow_backup must all be there. */
static int ask_validation(const char *file, int *valid)
{
	char json[512] = "";
	size_t len = 0;
	ssize_t n;
	int ends[2];

	if (pipe(ends) < 0)
		return UNKNOWN;
	if (fork() == 0)
		validate(ends[1], file);
	close(ends[1]);
	while (len < sizeof(json) - 1 &&
	       (n = read(ends[0], json + len, sizeof(json) - 1 - len)) > 0)
		len += (size_t)n;
	close(ends[0]);
	if (json[0] != '{' || !strchr(json, '}'))
		return UNKNOWN;
	*valid = find_bool(json, "valid");
	if (*valid < 0 || find_bool(json, "forceable") < 0 || find_bool(json, "allow_backup") < 0)
		return INVALID_ARGUMENT;
	return OK;
}

static void stop_services(void)
{
	kill(service, SIGTERM);
	kill(shell, SIGKILL);
	close(listener);
	close(client);
	listener = client = -1;
	sleep(TERM_TIMEOUT);
}

static void exec_upgraded(const char *prefix, char *path, char *command)
{
	char *argv[] = { (char *)"/sbin/upgraded", path, command, NULL }, number[12];

	if (chroot(prefix) < 0) {
		fprintf(stderr, "Failed to chroot for upgraded exec.\n");
		return;
	}
	snprintf(number, sizeof(number), "%d", watchdog);
	if (watchdog >= 0) {
		fcntl(watchdog, F_SETFD, 0);
		setenv("WDTFD", number, 1);
	}
	execvp(argv[0], argv);
	fprintf(stderr, "Failed to exec upgraded.\n");
	unsetenv("WDTFD");
	if (watchdog >= 0)
		fcntl(watchdog, F_SETFD, FD_CLOEXEC);
	if (chroot(".") < 0)
		exit(EXIT_FAILURE);
}

static int sysupgrade(const char *json)
{
	char *prefix = find_text(json, "prefix"), *path = find_text(json, "path");
	int valid, code;

	if (!path || !prefix)
		return INVALID_ARGUMENT;
	code = ask_validation(path, &valid);
	if (code != OK || !valid)
		return code != OK ? code : NOT_SUPPORTED;
	stop_services();
	exec_upgraded(prefix, path, find_text(json, "command"));
	return UNKNOWN;
}

static int answer(const char *request, const char *mode)
{
	const char *json = strchr(request, ' ');
	int valid;

	if (json && strncmp(request, "validate_firmware_image ", 24) == 0 &&
	    find_text(json, "path"))
		return ask_validation(find_text(json, "path"), &valid);
	if (json && strncmp(request, "sysupgrade ", 11) == 0 && strcmp(mode, "refuses") != 0)
		return sysupgrade(json);
	return NOT_FOUND;
}

static void serve(const char *mode, char *postponed)
{
	char request[REQUEST_MAX] = "";
	unsigned char code = TIMED_OUT;

	if (read(client, request, sizeof(request) - 1) <= 0)
		return;
	if (strcmp(mode, "late") == 0 && strncmp(request, "sysupgrade ", 11) == 0)
		strcpy(postponed, request);
	else
		code = (unsigned char)answer(request, mode);
	(void)!write(client, &code, 1);
	close(client);
}

static void do_late(char *postponed)
{
	if (!*postponed || access("/oldroot", F_OK) == 0)
		return;
	fprintf(stderr, "procd: late, and the answer would have been %d\n", answer(postponed, ""));
	*postponed = '\0';
}

static pid_t start(const char *program, const char *name)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	setsid();
	execl(program, name, (char *)NULL);
	_exit(127);
}

static void start_service(void)
{
	FILE *file = fopen("/run/service", "w");

	service = fork();
	if (service == 0)
		for (;;)
			pause();
	if (!file)
		return;
	fprintf(file, "%d\n", (int)service);
	fclose(file);
}

static int listen_to_ubus(void)
{
	int at = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (bind(at, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(at, 4) < 0)
		perror(address.sun_path);
	return at;
}

/*
 * Its init opens the watchdog, and hands it on to procd, as that does later to upgraded. Whoever gets a number
 * believes it.
 */
static void open_watchdog(char **argv)
{
	const char *number = getenv("WDTFD");
	char text[12];

	if (number) {
		watchdog = atoi(number);
		unsetenv("WDTFD");
		fcntl(watchdog, F_SETFD, FD_CLOEXEC);
		return;
	}
	watchdog = open("/dev/watchdog", O_WRONLY);
	if (watchdog < 0)
		return;
	snprintf(text, sizeof(text), "%d", watchdog);
	setenv("WDTFD", text, 1);
	execv("/proc/self/exe", argv);
	execv("/usr/bin/procd", argv);
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/'), *mode = argc > 1 ? argv[1] : "";
	struct pollfd ubus = { .events = POLLIN };
	char postponed[REQUEST_MAX] = "";

	if (strcmp(name ? name + 1 : argv[0], "ubus") == 0)
		return call(argc, argv);
	open_watchdog(argv);
	waitpid(start("/etc/rc", "rc"), NULL, 0);
	start_service();
	listener = listen_to_ubus();
	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (shell <= 0 || kill(shell, 0) < 0)
			shell = start("/bin/sh", "-sh");
		if (watchdog >= 0 && write(watchdog, "X", 1) < 0)
			perror("WDT failed to write");
		do_late(postponed);
		ubus.fd = listener;
		if (poll(&ubus, 1, PING_MS) <= 0 || !(ubus.revents & POLLIN))
			continue;
		client = accept4(ubus.fd, NULL, NULL, SOCK_CLOEXEC);
		serve(mode, postponed);
	}
}
