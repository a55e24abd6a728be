// SPDX-License-Identifier: GPL-2.0-or-later
/* flashinit: replaces PID 1 to rewrite the flash that the running system booted from. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"
#include "plan.h"
#include "say.h"
#include "show.h"
#include "supervisor.h"
#include "update.h"

static const char help[] =
	"Usage: flashinit VERB [OPTION...] IMAGE\n"
	"\n"
	"Rewrites the flash that this system runs from. IMAGE is a firmware image (*.fwi) made by\n"
	"flashpack.\n"
	"\n"
	"  update IMAGE   check everything, move to RAM, take over from init, let go of the old\n"
	"                 root, write the image and reboot; goes on when the terminal hangs up\n"
	"  check IMAGE    find out whether update would work; changes nothing\n"
	"  info IMAGE     tell what is in the image\n"
	"  verify IMAGE   check every byte of the image; \"-\" is standard input\n"
	"\n"
	"Options of update:\n"
	"  --after WHAT   reboot (the default), poweroff or halt, once the image is written\n"
	"  --dry-run      stage everything in RAM, undo it, and say so\n"
	"\n"
	"  -h, --help     this text\n"
	"  --version      version of flashinit\n"
	"\n"
	"Exit codes: 0 done; 1 failed, nothing changed; 2 called the wrong way; 3 image refused;\n"
	"4 device or system unfit; 5 flash failed after the first erase; 6 busy. An update that\n"
	"goes well does not return: init ends it.\n";

enum { OPT_AFTER = 256, OPT_DRY_RUN, OPT_VERSION };

static const struct option long_options[] = {
	{ "after", required_argument, NULL, OPT_AFTER },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static int usage(const char *problem, const char *word)
{
	say_error("%s%s; try flashinit --help", problem, word);
	return FAULT_USAGE;
}

static int run_verb(const char *verb, struct update_options *o, bool has_options)
{
	bool is_update = strcmp(verb, "update") == 0;

	if (has_options && !is_update)
		return usage("--after and --dry-run go with update, not with ", verb);
	if (is_update)
		return update(o);
	if (strcmp(verb, "check") == 0) {
		o->check_only = true;
		return update(o);
	}
	if (strcmp(verb, "info") == 0)
		return show_info(o->image);
	if (strcmp(verb, "verify") == 0)
		return show_verify(o->image);
	return usage("there is no verb ", verb);
}

static int run_command_line(int argc, char **argv)
{
	struct update_options o = { .after = AFTER_REBOOT };
	bool has_options = false;
	struct fault f;
	int c;

	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (c == 'h' || c == OPT_VERSION) {
			(void)fputs(c == 'h' ? help : "flashinit " FLASHINIT_VERSION "\n", stdout);
			return 0;
		}
		if (c == '?')
			return FAULT_USAGE; /* getopt has said what is wrong */
		if (c == OPT_AFTER && plan_take_after(optarg, &o.after, &f) < 0)
			return say_fault(&f);
		if (c == OPT_DRY_RUN)
			o.dry_run = true;
		has_options = true;
	}
	if (argc - optind < 2)
		return usage("needs a verb and an image", "");
	if (argc - optind > 2)
		return usage("does not know what to do with ", argv[optind + 2]);
	o.image = argv[optind + 1];
	return run_verb(argv[optind], &o, has_options);
}

int main(int argc, char **argv)
{
	if (getpid() == 1)
		supervise(); /* never looks at what it was called with */
	return run_command_line(argc, argv);
}
