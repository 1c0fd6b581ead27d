// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "common/log.h"

#define MEMORY_MB_MAX (1024 * 1024)
#define US_MAX 10000000

#define SET .offset = offsetof(struct options, settings)
#define OPT(member) .offset = offsetof(struct options, member)

/* clang-format off */
static const struct cli_option options[] = {
	{ 'f', "rcfile", CLI_STR, "FILE", "run the commands of FILE first",
	  OPT(rcfile) },
	{ 'l', "loss", CLI_LIST, "PERCENT", "lose frames", SET },
	{ 'L', "lostburst", CLI_LIST, "FRAMES", "mean length of lost bursts",
	  SET },
	{ 'd', "delay", CLI_LIST, "MS", "delay frames", SET },
	{ 'D', "dup", CLI_LIST, "PERCENT", "duplicate frames", SET },
	{ 'b', "band bandwidth", CLI_LIST, "BYTES/S", "bandwidth of the line",
	  SET },
	{ 's', "speed", CLI_LIST, "BYTES/S", "how fast frames are taken in",
	  SET },
	{ 'c', "chanbufsize capacity", CLI_LIST, "BYTES",
	  "how much may wait", SET },
	{ 'n', "noise", CLI_LIST, "BITS/MB", "flip bits", SET },
	{ 'm', "mtu", CLI_LIST, "BYTES", "drop longer frames", SET },
	{ 'N', "nofifo", CLI_FLAG, NULL, "frames may overtake others",
	  OPT(nofifo) },
	{ 0, "burst", CLI_LIST, "BYTES", "bucket of the bandwidth", SET },
	{ 0, "limit", CLI_LIST, "FRAMES", "how many frames may wait", SET },
	{ 0, "reorder", CLI_LIST, "PERCENT", "frames that are not delayed",
	  SET },
	{ 0, "corrupt", CLI_LIST, "PERCENT", "frames with a flipped bit", SET },
	{ 0, "ber", CLI_LIST, "MILLIONTHS", "probability of a flip, each bit",
	  SET },
	{ 0, "gilbert", CLI_LIST, "P[,R[,1-H[,1-K]]]",
	  "lose frames as Gilbert and Elliott have it", SET },
	{ 0, "lossperiod", CLI_LIST, "N[,L[,F]]", "lose every Nth frame", SET },
	{ 0, "losslist", CLI_LIST, "NUMBERS",
	  "lose these frames; @FILE: those of FILE", SET },
	{ 0, "qdisc", CLI_LIST, "NAME [NUMBERS]",
	  "queue: tail, red, red-average, codel", SET },
	{ 'r', "RED red", CLI_LIST, "MIN,MAX,PROB,LIMIT",
	  "the same as --qdisc 'red ...'", SET },
	{ 0, "blackout", CLI_LIST, "FROM+LENGTH[/PERIOD],...",
	  "nothing passes at these times (ms)", SET },
	{ 0, "table", CLI_LIST, "NAME=FILE", "a distribution for --delay", SET },
	{ 0, "trace", CLI_LIST, "FILE", "the line is as FILE has it", SET },
	{ 0, "trace-once", CLI_LIST, "FILE", "the same, not repeated", SET },
	{ 0, "class", CLI_LIST, "NAME FILTER",
	  "these frames have settings of their own", SET },
	{ 0, "class-set", CLI_LIST, "NAME SETTING VALUE", "one of them", SET },
	{ 0, "seed", CLI_NUM, "N", "of all random numbers (any)", OPT(seed),
	  .max = INT64_MAX },
	{ 0, "record", CLI_STR, "FILE", "write all decisions to FILE",
	  OPT(record) },
	{ 0, "replay", CLI_STR, "FILE", "decide as FILE says", OPT(replay) },
	{ 0, "report", CLI_STR, "[=FILE]", "say at exit how exact it was",
	  OPT(report) },
	{ 0, "strict", CLI_FLAG, NULL, "end with status 1 when it is not",
	  OPT(strict) },
	{ 0, "tolerance-us", CLI_NUM, "US", "what is too late (1000)",
	  OPT(tolerance_us), .max = US_MAX },
	{ 0, "spin-us", CLI_NUM, "US",
	  "do not sleep this long before a frame is due (0)", OPT(spin_us),
	  .max = US_MAX },
	{ 0, "memory", CLI_NUM, "MB",
	  "for frames that wait, each direction (1024)", OPT(memory_mb),
	  .min = 1, .max = MEMORY_MB_MAX },
	{ 'M', "mgmt", CLI_STR, "PATH", "management socket", OPT(mgmt) },
	{ 0, "mgmtmode", CLI_MODE, "MODE", "its octal mode (700)",
	  OPT(mgmt_mode) },
	{ 'v', "vde-plug", CLI_STR, "L:R",
	  "between these networks; '-' for stdin and stdout", OPT(plugs) },
	{ 0, "daemon", CLI_FLAG, NULL, "run in the background",
	  OPT(background) },
	{ 0, "pidfile", CLI_STR, "FILE", "write the process id to FILE",
	  OPT(pidfile) },
	{ 0, "blink", CLI_STR, "PATH",
	  "tell the socket PATH of each frame that leaves", OPT(blink) },
	{ 0, "blinkid", CLI_STR, "TEXT", "how it calls us (process id)",
	  OPT(blink_id) },
	{ 0, "ready-fd", CLI_FD, "N",
	  "write a newline to descriptor N when ready", OPT(ready_fd) },
};
/* clang-format on */

static const struct cli cli = {
	.synopsis = "[OPTION]... [LEFT RIGHT]",
	.about = "Impair what passes between two pipes, or two networks.\n"
		 "VALUE is [LR|RL]NUMBER[+NUMBER][K|M|G][U|N][[NODE]]; the "
		 "manual has it all.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.mode = CLI_GNU,
};

/* "L:R" of -v; more colons are those of locators, and say nothing. */
static void split_plugs(struct options *o)
{
	const char *colon = strchr(o->plugs, ':');
	size_t len;

	if (!colon)
		cli_usage("invalid L:R '%s' for --vde-plug: where is the "
			  "second network?",
			  o->plugs);
	if (strchr(colon + 1, ':'))
		cli_usage("invalid L:R '%s' for --vde-plug: give two operands "
			  "if a locator has a colon",
			  o->plugs);
	len = (size_t)(colon - o->plugs);
	o->net[0] = strndup(o->plugs, len);
	o->net[1] = colon + 1;
	if (!o->net[0])
		die("unable to read the command line: %s", strerror(ENOMEM));
}

void options_parse(struct options *o, int argc, char **argv)
{
	int first;

	*o = (struct options){ .seed = -1,
			       .ready_fd = -1,
			       .mgmt_mode = 0700,
			       .tolerance_us = 1000,
			       .memory_mb = 1024 };
	first = cli_parse(&cli, argc, argv, o);
	if (o->plugs)
		split_plugs(o);
	if (o->plugs && first < argc)
		cli_usage("networks are given twice: '%s'", argv[first]);
	if (argc - first > 2)
		cli_usage("too many operands: '%s'", argv[first + 2]);
	if (argc - first == 1)
		cli_usage("a second network is missing behind '%s'",
			  argv[first]);
	if (first < argc) {
		o->net[0] = argv[first];
		o->net[1] = argv[first + 1];
	}
	if (o->net[0] && !strcmp(o->net[0], "-") && !strcmp(o->net[1], "-"))
		cli_usage("both sides are standard input and output");
}

/* ---- settings ---- */

/* Of the direction in front of a setting's text, if there is one. */
static size_t prefix_len(const char *text)
{
	return strncmp(text, "LR", 2) == 0 || strncmp(text, "RL", 2) == 0 ? 2
									  : 0;
}

/* @word goes between the direction and the rest. */
static int join(char **out, const char *text, const char *word)
{
	size_t n = prefix_len(text), size = strlen(text) + strlen(word) + 1;

	*out = malloc(size);
	if (!*out)
		return -ENOMEM;
	(void)str_fmt(*out, size, "%.*s%s%s", (int)n, text, word, text + n);
	return 0;
}

static bool is_command(const char *name)
{
	static const char *const commands[] = { "table", "trace", "trace-once",
						"class", "class-set" };

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i]))
			return true;
	return false;
}

/* The command of a row. */
static const char *command_of(const char *name)
{
	if (!strcmp(name, "class"))
		return "class-add";
	return strcmp(name, "RED") ? name : "qdisc";
}

static int make_text(const char *name, const char *arg, char **out)
{
	char *equals;

	if (!strcmp(name, "RED"))
		return join(out, arg, "red ");
	*out = strdup(arg);
	if (!*out)
		return -ENOMEM;
	equals = strchr(*out, '=');
	if (equals && !strcmp(name, "table"))
		*equals = ' '; /* NAME FILE */
	return 0;
}

int options_setting(const struct options *o, size_t i, struct setting *s)
{
	const struct cli_given *g = &o->settings.given[i];
	const char *names = g->option->names;
	char name[SETTING_NAME];

	(void)str_fmt(name, sizeof(name), "%.*s", (int)strcspn(names, " "),
		      names);
	s->command = is_command(name);
	(void)str_copy(s->name, sizeof(s->name), command_of(name));
	return make_text(name, g->arg, &s->text);
}
