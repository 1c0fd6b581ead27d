// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/strbuf.h"
#include "common/log.h"

#define MAX_LONG 96
#define CODE_HELP 1
#define CODE_VERSION 2
#define CODE_ROW 256 /* + index into the table */
#define HELP_COLUMN 30

struct parser {
	const struct cli *cli;
	char letters[128];
	char names[2048]; /* long names, split at blanks */
	struct option longs[MAX_LONG];
	size_t n_longs;
};

static void say_error(const char *fmt, va_list ap)
	__attribute__((format(printf, 1, 0)));

static void say_error(const char *fmt, va_list ap)
{
	char line[1024];

	if (vsnprintf(line, sizeof(line), fmt, ap) >= 0)
		log_err("%s", line);
}

noreturn void cli_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_error(fmt, ap);
	va_end(ap);
	fprintf(stderr, "Try '%s --help'.\n", log_name());
	exit(EXIT_USAGE);
}

noreturn void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_error(fmt, ap);
	va_end(ap);
	exit(EXIT_FAILURE);
}

static bool has_letter(const struct cli *cli, char letter)
{
	for (size_t i = 0; i < cli->n_options; i++)
		if (cli->options[i].letter == letter)
			return true;
	return false;
}

static char version_letter(const struct cli *cli)
{
	if (!has_letter(cli, 'v'))
		return 'v';
	return has_letter(cli, 'V') ? '\0' : 'V';
}

static bool is_optional(const char *arg)
{
	return arg && arg[0] == '[';
}

static void add_long(struct parser *p, const char *name, const char *arg,
		     int code)
{
	int has_arg = is_optional(arg) ? optional_argument
		      : arg	       ? required_argument
				       : no_argument;

	assert(p->n_longs < MAX_LONG - 1);
	p->longs[p->n_longs++] = (struct option){ name, has_arg, NULL, code };
}

/* Everything in one loop over the rows; @names is the memory of the words. */
static void build(struct parser *p)
{
	struct strbuf letters, names;
	char version = version_letter(p->cli);
	char version_str[] = { version, '\0' };

	strbuf_init(&letters, p->letters, sizeof(p->letters));
	strbuf_init(&names, p->names, sizeof(p->names));
	strbuf_add(&letters, p->cli->mode == CLI_STOP ? "+:" : ":");
	for (size_t i = 0; i < p->cli->n_options; i++) {
		const struct cli_option *o = &p->cli->options[i];
		char *word, *save = names.s + names.len;

		if (o->letter)
			strbuf_fmt(&letters, "%c%s", o->letter,
				   is_optional(o->arg) ? "::"
				   : o->arg	       ? ":"
						       : "");
		strbuf_add(&names, o->names ? o->names : "");
		names.len++; /* keep the NUL between rows */
		assert(names.len < names.size - 1 && !names.cut);
		while ((word = strsep(&save, " ")))
			if (*word)
				add_long(p, word, o->arg, CODE_ROW + (int)i);
	}
	strbuf_add(&letters, has_letter(p->cli, 'h') ? "" : "h");
	strbuf_add(&letters, version_str);
	assert(!letters.cut);
	add_long(p, "help", NULL, CODE_HELP);
	add_long(p, "version", NULL, CODE_VERSION);
}

static void print_option(const struct cli_option *o)
{
	char left[128];
	struct strbuf b;
	const char *name = o->names ? o->names : "";
	int len = (int)strcspn(name, " ");

	strbuf_init(&b, left, sizeof(left));
	strbuf_add(&b, "  ");
	if (o->letter)
		strbuf_fmt(&b, "-%c%s", o->letter, len ? ", " : "");
	else
		strbuf_add(&b, "    ");
	if (len)
		strbuf_fmt(&b, "--%.*s", len, name);
	if (o->arg)
		strbuf_fmt(&b, is_optional(o->arg) ? "%s" : " %s", o->arg);
	if (b.len >= HELP_COLUMN)
		printf("%s\n%*s%s\n", left, HELP_COLUMN, "", o->help);
	else
		printf("%-*s%s\n", HELP_COLUMN, left, o->help);
}

static noreturn void print_help(const struct cli *cli)
{
	const struct cli_option help = {
		.letter = has_letter(cli, 'h') ? '\0' : 'h',
		.names = "help",
		.help = "print this text",
	}, version = {
		.letter = version_letter(cli),
		.names = "version",
		.help = "print the version",
	};

	printf("Usage: %s %s\n%s\n\nOptions:\n", log_name(), cli->synopsis,
	       cli->about);
	for (size_t i = 0; i < cli->n_options; i++)
		if (cli->options[i].help)
			print_option(&cli->options[i]);
	print_option(&help);
	print_option(&version);
	exit(fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}

static noreturn void print_version(void)
{
	printf("%s (VDE) %s\n", log_name(), VDE_VERSION);
	exit(fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Another file of the program could get the number of one that is closed. */
static bool parse_fd(const struct cli_option *o, const char *arg, int64_t *fd)
{
	if (!parse_num(arg, 0, INT_MAX, fd))
		return false;
	if (fcntl((int)*fd, F_GETFD) < 0)
		cli_usage("descriptor %s of --%s is not open", arg, o->names);
	return true;
}

static noreturn void bad_value(const struct cli_option *o, const char *arg)
{
	const char *what = o->arg ? o->arg : "use";
	int len = (int)strcspn(o->names ? o->names : "", " ");

	if (len)
		cli_usage("invalid %s '%s' for --%.*s", what, arg, len,
			  o->names);
	cli_usage("invalid %s '%s' for -%c", what, arg, o->letter);
}

static void keep(struct cli_list *l, const struct cli_option *o,
		 const char *arg)
{
	struct cli_given *given = realloc(l->given,
					  (l->n + 1) * sizeof(*given));

	if (!given)
		die("unable to read the command line: %s", strerror(ENOMEM));
	l->given = given;
	l->given[l->n++] = (struct cli_given){ o, arg };
}

static void apply(const struct cli_option *o, void *opts, const char *arg)
{
	char *at = (char *)opts + o->offset;
	bool ok = true;
	int64_t num;
	unsigned int mode;

	if (!arg && is_optional(o->arg))
		arg = "";
	switch (o->kind) {
	case CLI_FLAG:
		*(bool *)at = true;
		break;
	case CLI_STR:
		*(const char **)(void *)at = arg;
		break;
	case CLI_NUM:
		ok = parse_num(arg, o->min, o->max, &num);
		if (ok)
			*(int64_t *)(void *)at = num;
		break;
	case CLI_FD:
		ok = parse_fd(o, arg, &num);
		if (ok)
			*(int64_t *)(void *)at = num;
		break;
	case CLI_MODE:
		ok = parse_mode(arg, &mode);
		if (ok)
			*(unsigned int *)(void *)at = mode;
		break;
	case CLI_CALL:
		ok = o->fn(opts, arg);
		break;
	case CLI_LIST:
		keep((struct cli_list *)(void *)at, o, arg);
		break;
	}
	if (!ok)
		bad_value(o, arg ? arg : "");
}

static const struct cli_option *row_of(const struct parser *p, int code)
{
	if (code >= CODE_ROW)
		return &p->cli->options[code - CODE_ROW];
	for (size_t i = 0; i < p->cli->n_options; i++)
		if (p->cli->options[i].letter == code)
			return &p->cli->options[i];
	return NULL;
}

static noreturn void bad_line(char **argv, int code)
{
	const char *word = optind > 0 ? argv[optind - 1] : "";

	if (code == ':')
		cli_usage("option '%s' needs an argument", word);
	if (optopt > 0 && optopt < CODE_ROW && optopt > CODE_VERSION)
		cli_usage("unknown option '-%c'", optopt);
	if (optopt > 0)
		cli_usage("option '%s' takes no argument", word);
	cli_usage("unknown or ambiguous option '%s'", word);
}

int cli_parse(const struct cli *cli, int argc, char **argv, void *opts)
{
	struct parser p = { .cli = cli };
	int code;

	build(&p);
	opterr = 0;
	optind = 0; /* glibc: start anew, also after an earlier parse */
	while ((code = cli->mode == CLI_LONG_ONLY
			       ? getopt_long_only(argc, argv, p.letters,
						  p.longs, NULL)
			       : getopt_long(argc, argv, p.letters, p.longs,
					     NULL)) != -1) {
		const struct cli_option *o;

		if (code == '?' || code == ':')
			bad_line(argv, code);
		o = row_of(&p, code);
		if (o)
			apply(o, opts, optarg);
		else if (code == CODE_HELP || code == 'h')
			print_help(cli);
		else
			print_version();
	}
	return optind;
}
