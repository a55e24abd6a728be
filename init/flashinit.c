// SPDX-License-Identifier: GPL-2.0-or-later
/* flashinit: replaces PID 1 to rewrite the flash that the running system booted from. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "first.h"
#include "handover.h"
#include "json.h"
#include "options.h"
#include "pid1.h"
#include "plan.h"
#include "say.h"
#include "supervisor.h"

static const char help[] =
	"Usage: flashinit VERB [OPTION...] IMAGE\n"
	"\n"
	"Rewrites flash, that which this system runs from, too. IMAGE is a firmware image (*.fwi)\n"
	"made by flashpack.\n"
	"\n"
	"  update IMAGE   check everything, move to RAM, take over from init, let go of the old\n"
	"                 root, write the image and reboot; goes on when the terminal hangs up;\n"
	"                 IMAGE may be \"-\" or a pipe: it is copied to RAM first\n"
	"  check IMAGE    find out whether update would work, and tell each condition; changes\n"
	"                 nothing\n"
	"  write IMAGE    write to flash that nothing uses, and go on as before; from \"-\" or a\n"
	"                 pipe it is written while it comes, each chunk checked before it is used,\n"
	"                 but nobody can know whether the rest is whole\n"
	"  info IMAGE     tell what is in the image; \"-\" is standard input\n"
	"  status         tell how the last update ended, and what the journal says; exit with its\n"
	"                 code\n"
	"  verify IMAGE   check every byte of the image; \"-\" is standard input\n"
	"\n"
	"Options of update:\n"
	"  --after WHAT       once the image is written: reboot (the default), poweroff, halt, boot\n"
	"                     (the new root, without a reboot) or exec:PROGRAM (in the RAM root)\n"
	"Options of update and check:\n"
	"  --exec COMMAND     run this in the RAM root in place of writing an image\n"
	"  --include FILE[=PATH]\n"
	"                     have it there, with the libraries that it needs; may be given often\n"
	"  --via METHOD       how PID 1 is taken over: busybox, sysvinit, openrc, procd or\n"
	"                     systemd, as auto (the default) finds by itself, or ptrace, whatever\n"
	"                     PID 1 is\n"
	"Option of update, check and status:\n"
	"  --outcome FILE     where each turn of the update is noted, on a file system that stays\n"
	"Option of status:\n"
	"  --good             note in the journal that the new firmware is good, and no more\n"
	"Options of update and write:\n"
	"  --dry-run          do everything up to the first step that cannot be undone\n"
	"Options of update, check and write, in place of IMAGE:\n"
	"  --raw PART=FILE[,OPTION=VALUE...]\n"
	"                     write a plain image to a partition; may be given often; a FILE.gz is\n"
	"                     unpacked; FILE.sha256, if it is there, must fit; the options are\n"
	"                     those of flashpack: kind, tail, chunk-size, volume, volume-size,\n"
	"                     volume-type\n"
	"  --sha256 HEX       SHA-256 of the file of the --raw before it\n"
	"  --crc32 HEX        CRC-32 of the file of the --raw before it\n"
	"Options of update, check and write, for unsigned images in development:\n"
	"  --force-board      take an image that was made for other boards\n"
	"  --allow-downgrade  take an anti-rollback number below this device's\n"
	"Options of info and verify:\n"
	"  --key FILE         public key of signify or minisign that must have signed the image;\n"
	"                     may be given often; without it, the keys that are installed\n"
	"Options of update, check, write, status and info:\n"
	"  --json             tell it in JSON, a line for each event (info: one object)\n"
	"\n"
	"  -h, --help         this text\n"
	"  --version          version of flashinit\n"
	"\n" CONFIG_FILE
	" may set board, rollback-number, after, outcome, via, journal and tries. Public keys are\nthe files " CONFIG_KEYS
	"/*.pub; where there is one, an image must be signed by one.\n"
	"\n"
	"As the kernel's first process (init=/sbin/flashinit) it boots what is whole, and finishes\n"
	"an update that was cut.\n"
	"\n"
	"Exit codes: 0 done; 1 failed, nothing changed; 2 called the wrong way; 3 image refused;\n"
	"4 device or system unfit; 5 flash failed after the first erase; 6 busy. An update that\n"
	"goes well does not return: init ends it.\n";

/*
 * Ignored or not is inherited: whoever reads what we say may go, and that must not end us; and nobody
 * may reap our children in our stead.
 */
static void own_signals(void)
{
	(void)signal(SIGPIPE, SIG_IGN); /* neither can fail */
	(void)signal(SIGCHLD, SIG_DFL);
}

static int run_command_line(int argc, char **argv)
{
	struct options o;
	struct fault f;

	own_signals();
	say_somewhere();
	if (options_parse(&o, argc, argv, &f) < 0) {
		if (o.events)
			(void)json_end(&f); /* the code is known */
		return say_fault(&f);
	}
	switch (o.verb) {
	case VERB_UPDATE:
		return update(&o.update);
	case VERB_CHECK:
		o.update.check_only = true;
		return update(&o.update);
	case VERB_WRITE:
		return write_firmware(&o.write);
	case VERB_INFO:
		return show_info(&o.show);
	case VERB_VERIFY:
		return show_verify(&o.show);
	case VERB_STATUS:
		return status(&o.status);
	case VERB_HELP:
		(void)dprintf(STDOUT_FILENO, "%s", help);
		return 0;
	case VERB_VERSION:
		(void)dprintf(STDOUT_FILENO, "flashinit " FLASHINIT_VERSION "\n");
		return 0;
	}
	return FAULT_USAGE;
}

int main(int argc, char **argv, char **envp)
{
	if (pid1_is_us() && access(PLAN_FILE, F_OK) == 0)
		supervise(); /* never looks at what it was called with */
	if (pid1_is_us())
		first_process(argv, envp);
	if (argc > 0 && handover_procd_answers(argv[0]))
		return 0;
	return run_command_line(argc, argv);
}
