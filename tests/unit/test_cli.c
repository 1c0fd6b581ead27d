// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every command line is parsed in a child process, which tells what it got
 * as a line on stdout; status and both outputs are looked at.
 */
#include "common/cli.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "common/log.h"

struct opts {
	bool flag, other;
	const char *str;
	int64_t num;
	unsigned int mode;
	int calls;
	struct cli_list list;
};

static bool call_me(void *opts, const char *arg)
{
	struct opts *o = opts;

	o->calls++;
	return !arg || strcmp(arg, "bad");
}

static bool never(void *opts, const char *arg)
{
	return false;
}

#define OPT(member) .offset = offsetof(struct opts, member)

/* clang-format off */
static const struct cli_option options[] = {
	{ 'f', "flag", CLI_FLAG, NULL, "set the flag", OPT(flag) },
	{ 's', "sock str", CLI_STR, "DIR", "a string", OPT(str) },
	{ 'n', "numports", CLI_NUM, "N", "a number", OPT(num), .min = 1, .max = 100 },
	{ 'm', "mode", CLI_MODE, "MODE", "a mode", OPT(mode) },
	{ 't', "tap", CLI_CALL, "NAME", "any number of them", .fn = call_me },
	{ 0, "long-only-name-that-is-very-long", CLI_FLAG, NULL, "folded", OPT(other) },
	{ 0, "ready-fd", CLI_FD, "FD", "a descriptor", OPT(num) },
	{ 'x', NULL, CLI_CALL, NULL, "no long name", .fn = call_me },
	{ 'y', NULL, CLI_CALL, NULL, NULL, .fn = never },
	{ 'o', "old", CLI_FLAG, NULL, NULL, OPT(other) },
};
static const struct cli_option with_v[] = {
	{ 'v', "verbose", CLI_FLAG, NULL, "say more", OPT(flag) },
	{ 'h', "hub", CLI_FLAG, NULL, "be a hub", OPT(other) },
};
static const struct cli_option listed[] = {
	{ 'l', "loss", CLI_LIST, "%", "what is lost", OPT(list) },
	{ 'd', "delay late", CLI_LIST, "MS", "how late", OPT(list) },
	{ 0, "once", CLI_LIST, NULL, "no argument", OPT(list) },
	{ 'r', "report", CLI_STR, "[=FILE]", "with or without", OPT(str) },
};
/* clang-format on */

static struct cli cli;
static char out[4096], err[4096];

static void read_all(int fd, char *to, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = read(fd, to + len, size - 1 - len)) > 0)
		len += (size_t)n;
	to[len] = '\0';
	close(fd);
}

static noreturn void child(char **argv)
{
	struct opts o = { .num = 32, .str = "-" };
	int argc = 0, first;

	while (argv[argc])
		argc++;
	log_open(argv[0], LOG_NOTICE);
	first = cli_parse(&cli, argc, argv, &o);
	printf("%d%d %s %d %o %d:", o.flag, o.other, o.str, (int)o.num, o.mode,
	       o.calls);
	for (int i = first; i < argc; i++)
		printf(" %s", argv[i]);
	for (size_t i = 0; i < o.list.n; i++)
		printf(" %c=%s", o.list.given[i].option->names[0],
		       o.list.given[i].arg ? o.list.given[i].arg : "-");
	exit(0);
}

/* The words of @line are the arguments; returns the exit status. */
static int run(const char *line)
{
	char copy[256], name[] = "/some/where/prog", *argv[16] = { name };
	char *save = copy, *word;
	int n = 1, from_out[2], from_err[2], status;
	pid_t pid;

	str_copy(copy, sizeof(copy), line);
	while ((word = strsep(&save, " ")) && n < 15)
		if (*word)
			argv[n++] = strcmp(word, "''") ? word : word + 2;
	fflush(stdout);
	CHECK(!pipe(from_out) && !pipe(from_err));
	pid = fork();
	if (!pid) {
		dup2(from_out[1], 1);
		dup2(from_err[1], 2);
		child(argv);
	}
	close(from_out[1]);
	close(from_err[1]);
	read_all(from_out[0], out, sizeof(out));
	read_all(from_err[0], err, sizeof(err));
	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool gives(const char *line, const char *expected)
{
	int status = run(line);
	bool ok = status == 0 && !strcmp(out, expected) && !*err;

	if (!ok)
		printf("# %s: %d, '%s' '%s'\n", line, status, out, err);
	return ok;
}

/* Status 2, nothing on stdout, this message and a hint. */
static bool refused(const char *line, const char *message)
{
	char expected[512];
	int status = run(line);
	bool ok;

	str_fmt(expected, sizeof(expected),
		"prog: error: %s\nTry 'prog --help'.\n", message);
	ok = status == EXIT_USAGE && !*out && !strcmp(err, expected);
	if (!ok)
		printf("# %s: %d, '%s' '%s'\n", line, status, out, err);
	return ok;
}

static void use(const struct cli_option *o, size_t n, enum cli_mode mode)
{
	cli = (struct cli){ "[OPTION]... [DIR]", "Does nothing at all.", o, n,
			    mode };
}

static void options_fill_their_members(void)
{
	use(options, ARRAY_SIZE(options), CLI_GNU);
	CHECK(gives("", "00 - 32 0 0:"));
	CHECK(gives("-f -s dir -n 7 -m 0640 -t a -t b", "10 dir 7 640 2:"));
	CHECK(gives("--flag --sock dir --numports=0x10 --mode 600 --tap=x",
		    "10 dir 16 600 1:"));
	CHECK(gives("-fx -sdir -n7", "10 dir 7 0 1:"));
	CHECK(gives("--str dir --long-only-name-that-is-very-long",
		    "01 dir 32 0 0:"));
	CHECK(gives("--old", "01 - 32 0 0:"));
	CHECK(gives("--num 5", "00 - 5 0 0:")); /* unambiguous */
	CHECK(gives("-n 5 -n 6", "00 - 6 0 0:"));
	CHECK(gives("-s ''", "00  32 0 0:"));
}

static void operands_may_stand_anywhere_unless_the_first_ends_the_options(void)
{
	use(options, ARRAY_SIZE(options), CLI_GNU);
	CHECK(gives("a -f b", "10 - 32 0 0: a b"));
	CHECK(gives("a -- -f", "00 - 32 0 0: a -f"));
	CHECK(gives("-", "00 - 32 0 0: -"));
	use(options, ARRAY_SIZE(options), CLI_STOP);
	CHECK(gives("-f a -x b", "10 - 32 0 0: a -x b"));
	CHECK(gives("-f -- -x", "10 - 32 0 0: -x"));
}

static void one_dash_may_begin_a_long_name(void)
{
	use(options, ARRAY_SIZE(options), CLI_LONG_ONLY);
	CHECK(gives("-flag -sock dir -numports 3", "10 dir 3 0 0:"));
	CHECK(gives("-numports=3 --flag -f -s d", "10 d 3 0 0:"));
	CHECK(refused("-qrob", "unknown or ambiguous option '-qrob'"));
	CHECK(refused("-q", "unknown or ambiguous option '-q'"));
	CHECK(refused("-fq", "unknown option '-q'")); /* -f is one */
}

static void a_list_has_its_options_in_the_order_of_the_line(void)
{
	use(listed, ARRAY_SIZE(listed), CLI_GNU);
	CHECK(gives("-l 1 --delay=2 --once a -l 3 --late 4",
		    "00 - 32 0 0: a l=1 d=2 o=- l=3 d=4"));
	CHECK(refused("-l", "option '-l' needs an argument"));
}

static void an_argument_may_be_left_out_if_its_row_says_so(void)
{
	use(listed, ARRAY_SIZE(listed), CLI_GNU);
	CHECK(gives("--report", "00  32 0 0:"));
	CHECK(gives("--report x", "00  32 0 0: x"));
	CHECK(gives("--report=x", "00 x 32 0 0:"));
	CHECK(gives("-rx", "00 x 32 0 0:"));
	CHECK(run("--help") == 0 && strstr(out, "  -r, --report[=FILE]"));
}

static void wrong_lines_are_refused_by_name(void)
{
	use(options, ARRAY_SIZE(options), CLI_GNU);
	CHECK(refused("-q", "unknown option '-q'"));
	CHECK(refused("-fq", "unknown option '-q'"));
	CHECK(refused("--nothing", "unknown or ambiguous option '--nothing'"));
	CHECK(refused("--nothing=1",
		      "unknown or ambiguous option '--nothing=1'"));
	CHECK(refused("-s", "option '-s' needs an argument"));
	CHECK(refused("--sock", "option '--sock' needs an argument"));
	CHECK(refused("--flag=yes", "option '--flag=yes' takes no argument"));
	CHECK(refused("--help=me", "option '--help=me' takes no argument"));
}

static void bad_values_are_refused_by_name(void)
{
	use(options, ARRAY_SIZE(options), CLI_GNU);
	CHECK(refused("-n abc", "invalid N 'abc' for --numports"));
	CHECK(refused("-n 0", "invalid N '0' for --numports"));
	CHECK(refused("-n 101", "invalid N '101' for --numports"));
	CHECK(refused("-n ''", "invalid N '' for --numports"));
	CHECK(refused("-m 9", "invalid MODE '9' for --mode"));
	CHECK(gives("--ready-fd 1", "00 - 1 0 0:"));
	CHECK(refused("--ready-fd 999",
		      "descriptor 999 of --ready-fd is not open"));
	CHECK(refused("--ready-fd -1", "invalid FD '-1' for --ready-fd"));
	CHECK(refused("--ready-fd 4294967296",
		      "invalid FD '4294967296' for --ready-fd"));
	CHECK(refused("-y", "invalid use '' for -y"));
	CHECK(refused("-t ok -t bad", "invalid NAME 'bad' for --tap"));
}

static void help_is_made_from_the_rows(void)
{
	static const char expected[] =
		"Usage: prog [OPTION]... [DIR]\n"
		"Does nothing at all.\n"
		"\n"
		"Options:\n"
		"  -f, --flag                  set the flag\n"
		"  -s, --sock DIR              a string\n"
		"  -n, --numports N            a number\n"
		"  -m, --mode MODE             a mode\n"
		"  -t, --tap NAME              any number of them\n"
		"      --long-only-name-that-is-very-long\n"
		"                              folded\n"
		"      --ready-fd FD           a descriptor\n"
		"  -x                          no long name\n"
		"  -h, --help                  print this text\n"
		"  -v, --version               print the version\n";

	use(options, ARRAY_SIZE(options), CLI_GNU);
	CHECK(gives("--help", expected));
	CHECK(gives("-f -h --nothing", expected)); /* in order */
}

static void the_version_takes_the_letter_that_is_free(void)
{
	use(options, ARRAY_SIZE(options), CLI_GNU);
	CHECK(gives("-v", "prog (VDE) " VDE_VERSION "\n"));
	CHECK(gives("--version", "prog (VDE) " VDE_VERSION "\n"));
	use(with_v, ARRAY_SIZE(with_v), CLI_GNU);
	CHECK(gives("-V", "prog (VDE) " VDE_VERSION "\n"));
	CHECK(gives("-v", "10 - 32 0 0:"));
	CHECK(gives("-h", "01 - 32 0 0:"));
	CHECK(run("--help") == 0 && strstr(out, "\n      --help ") &&
	      strstr(out, "\n  -V, --version "));
}

/* "prog --help | head -0" or a full disk. */
static void help_that_cannot_be_written_is_a_failure(void)
{
	char name[] = "prog", help[] = "--help", *argv[] = { name, help, NULL };
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (!freopen("/dev/full", "w", stdout))
			_exit(99);
		child(argv);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void dying_is_status_1_and_usage_is_status_2(void)
{
	for (int i = 1; i <= 2; i++) {
		int status, from_err[2];
		pid_t pid;

		fflush(stdout);
		CHECK(!pipe(from_err));
		pid = fork();
		if (!pid) {
			dup2(from_err[1], 2);
			log_open("x/prog", LOG_NOTICE);
			if (i == 1)
				die("unable to %s", "go on");
			cli_usage("too %s", "much");
		}
		close(from_err[1]);
		read_all(from_err[0], err, sizeof(err));
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == i);
		CHECK(!strcmp(err, i == 1 ? "prog: error: unable to go on\n"
					  : "prog: error: too much\n"
					    "Try 'prog --help'.\n"));
	}
}

int main(void)
{
	RUN(options_fill_their_members);
	RUN(operands_may_stand_anywhere_unless_the_first_ends_the_options);
	RUN(one_dash_may_begin_a_long_name);
	RUN(a_list_has_its_options_in_the_order_of_the_line);
	RUN(an_argument_may_be_left_out_if_its_row_says_so);
	RUN(wrong_lines_are_refused_by_name);
	RUN(bad_values_are_refused_by_name);
	RUN(help_is_made_from_the_rows);
	RUN(the_version_takes_the_letter_that_is_free);
	RUN(help_that_cannot_be_written_is_a_failure);
	RUN(dying_is_status_1_and_usage_is_status_2);
	DONE();
}
