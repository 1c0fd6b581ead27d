// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wirefilter - a wire between two pipes, or two networks, as bad as you like
 *
 * Whatever may fail does so before the program says that it is ready: pipes are
 * looked at first, for any descriptor that is opened later might get the number
 * of one that is missing; then, in the background already, the wire is made and
 * set as the command line and the rc file say, and the ends are opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "base/strbuf.h"
#include "common/daemon.h"
#include "common/log.h"
#include "plug/ends.h"
#include "wirefilter/blink.h"
#include "wirefilter/cmd.h"
#include "wirefilter/feed.h"
#include "wirefilter/fromfile.h"
#include "wirefilter/journal.h"
#include "wirefilter/options.h"
#include "wirefilter/pump.h"
#include "wirefilter/sorter.h"
#include "wirefilter/watchman.h"

#define DESCR "vde_crosscable"
#define SEED_BITS 48 /* of one that was not given: a number in any language */
#define REASON 512
#define FRAME_MAX 65535 /* what a stream can say, and a wire carries */

/* Descriptors of streams; -1: there is none. */
struct pipes {
	int in, out, alt_in, alt_out;
};

struct program {
	struct wirefilter wf;
	struct options o;
	struct pipes pipes;
	struct daemon daemon;
	struct pidfile pidfile;
	bool stopped;
	int signo; /* that ended it, or 0 */
};

void wirefilter_stop(struct wirefilter *wf, int status)
{
	struct program *p = container_of(wf, struct program, wf);

	if (!p->stopped)
		wf->status = status;
	p->stopped = true;
	loop_stop(wf->loop);
}

/* ---- pipes ---- */

/* Nobody types frames, or reads them. */
static void check_pipe(int fd, const char *name)
{
	if (fcntl(fd, F_GETFD) < 0)
		cli_usage("unable to use %s: %s", name, strerror(errno));
	if (isatty(fd))
		cli_usage("unable to use %s: it is not a pipe; wirefilter goes "
			  "into a dpipe, or between two networks: -v L:R",
			  name);
}

static int alternate(const char *name)
{
	const char *text = getenv(name);
	int64_t fd;

	return text && parse_num(text, 0, INT32_MAX, &fd) ? (int)fd : -1;
}

static bool is_open(int fd)
{
	return fd >= 0 && fcntl(fd, F_GETFD) >= 0;
}

/* Before anything is opened. */
static void find_pipes(struct program *p)
{
	const char *const *net = p->o.net;
	struct pipes *s = &p->pipes;

	*s = (struct pipes){ STDIN_FILENO, STDOUT_FILENO, -1, -1 };
	if (net[0] && strcmp(net[0], "-") && strcmp(net[1], "-"))
		return;
	check_pipe(s->in, "standard input");
	check_pipe(s->out, "standard output");
	if (net[0])
		return;
	s->alt_in = alternate("ALTERNATE_STDIN");
	s->alt_out = alternate("ALTERNATE_STDOUT");
	if (!is_open(s->alt_in)) {
		s->alt_in = s->alt_out = -1;
		return;
	}
	check_pipe(s->alt_in, "the descriptor of ALTERNATE_STDIN");
	check_pipe(s->alt_out, "the descriptor of ALTERNATE_STDOUT");
}

/* ---- ends ---- */

/* In the background 0 to 2 become /dev/null. */
static int keep(const struct program *p, int *fd)
{
	if (!p->daemon.background || *fd < 0 || *fd > STDERR_FILENO)
		return 0;
	*fd = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
	return *fd < 0 ? -errno : 0;
}

static int open_stream(struct program *p, struct stream_fds fds,
		       struct end **out)
{
	int rc = keep(p, &fds.in);

	if (!rc)
		rc = keep(p, &fds.out);
	if (!rc)
		rc = end_stream_open(out, p->wf.loop, &fds);
	if (rc)
		log_err("unable to use %s: %s",
			fds.in_name ? fds.in_name : fds.out_name,
			strerror(-rc));
	return rc;
}

static const char *name_of(const char *locator)
{
	return *locator ? locator : "the default switch";
}

static int open_net(struct program *p, const char *locator, struct end **out)
{
	const struct vde_args args = { .locator = locator,
				       .descr = DESCR,
				       .plain = true };
	VDECONN *conn;
	int rc = redial_open(&args, &conn);

	if (rc) {
		log_err("unable to open %s: %s", name_of(locator),
			strerror(-rc));
		return rc;
	}
	rc = end_vde_open(out, p->wf.loop, name_of(locator), conn, NULL);
	if (rc) {
		log_err("unable to watch %s: %s", name_of(locator),
			strerror(-rc));
		vde_close(conn);
	}
	return rc;
}

static int open_end(struct program *p, int side, struct end **out)
{
	const struct pipes *s = &p->pipes;
	struct stream_fds left = { s->in, s->out, "standard input",
				   "standard output", FRAME_MAX };
	struct stream_fds right = { s->alt_in, s->alt_out, "ALTERNATE_STDIN",
				    "ALTERNATE_STDOUT", FRAME_MAX };
	const char *locator = p->o.net[side];

	if (locator && strcmp(locator, "-"))
		return open_net(p, locator, out);
	if (!locator && s->alt_in < 0) {
		right = (struct stream_fds){ -1, left.out, NULL, left.out_name,
					     FRAME_MAX };
		left.out = -1;
	}
	return open_stream(p, locator || !side ? left : right, out);
}

static int open_pump(struct program *p)
{
	struct pump_config c = { .wf = &p->wf,
				 .spin = (uint64_t)p->o.spin_us * 1000 };
	int rc = open_end(p, 0, &c.left);

	if (rc)
		return rc;
	rc = open_end(p, 1, &c.right);
	if (rc) {
		end_finish(c.left);
		return rc;
	}
	rc = pump_new(&p->wf.pump, &c);
	if (rc)
		log_err("unable to join both sides: %s", strerror(-rc));
	return rc;
}

/* ---- the wire ---- */

static uint64_t random_seed(void)
{
	uint64_t seed;

	while (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		;
	return seed >> (64 - SEED_BITS);
}

static bool is_bidirectional(const struct program *p)
{
	return p->o.net[0] || p->pipes.alt_in >= 0;
}

static int apply_command(struct program *p, const struct setting *s)
{
	size_t size = strlen(s->name) + strlen(s->text) + 2;
	char *line = malloc(size), why[MGMT_WHY];
	int rc;

	if (!line) {
		log_err("unable to set %s: %s", s->name, strerror(ENOMEM));
		return -ENOMEM;
	}
	(void)str_fmt(line, size, "%s %s", s->name, s->text);
	rc = cmd_run(&p->wf, line, why);
	if (rc && !strncmp(why, "unable ", 7))
		log_err("%s", why);
	else if (rc)
		log_err("unable to set %s '%s': %s", s->name, s->text, why);
	free(line);
	return rc;
}

static int apply(struct program *p, const struct setting *s)
{
	char text[REASON];
	struct strbuf why;
	int rc;

	if (s->command)
		return apply_command(p, s);
	strbuf_init(&why, text, sizeof(text));
	rc = fromfile_set(&p->wf, 0, s->name, s->text, &why);
	if (rc)
		log_err("unable to set %s", text);
	return rc;
}

static int apply_all(struct program *p)
{
	int rc = 0;

	for (size_t i = 0; i < p->o.settings.n && !rc; i++) {
		struct setting s;

		rc = options_setting(&p->o, i, &s);
		if (!rc) {
			rc = apply(p, &s);
			free(s.text);
		}
	}
	return rc;
}

static int make_wire(struct program *p)
{
	uint64_t seed = p->o.seed < 0 ? random_seed() : (uint64_t)p->o.seed;

	p->wf.wire = wire_new(seed, is_bidirectional(p),
			      (size_t)p->o.memory_mb << 20,
			      loop_now(p->wf.loop));
	if (!p->wf.wire || cmd_start(&p->wf)) {
		log_err("unable to make a wire: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	if (p->o.nofifo)
		wire_set_fifo(p->wf.wire, false);
	return apply_all(p);
}

/* The rc file is run before anybody else can say something. */
static int open_console(struct program *p)
{
	const struct options *o = &p->o;
	int rc = o->rcfile ? cmd_load_rc(&p->wf, o->rcfile) : 0;

	if (rc || p->stopped || !o->mgmt)
		return rc;
	return cmd_listen(&p->wf, o->mgmt, o->mgmt_mode);
}

/* Its end is not the end of the program: a shell gives it to whom it starts in
 * the background. */
static bool is_null(int fd)
{
	struct stat st, null;

	return !fstat(fd, &st) && S_ISCHR(st.st_mode) &&
	       !stat("/dev/null", &null) && st.st_rdev == null.st_rdev;
}

/* Between two networks nobody else uses standard input and output. */
static int open_terminal(struct program *p)
{
	const char *const *net = p->o.net;
	int rc;

	if (p->o.background || !net[0] || !strcmp(net[0], "-") ||
	    !strcmp(net[1], "-") || is_null(STDIN_FILENO))
		return 0;
	rc = console_stdin(p->wf.console);
	if (rc)
		log_err("unable to read standard input: %s", strerror(-rc));
	return rc;
}

static int open_blink(struct program *p)
{
	int rc;

	if (!p->o.blink)
		return 0;
	rc = blink_new(&p->wf.blink, p->o.blink, p->o.blink_id);
	if (rc)
		log_err("unable to blink at %s: %s", p->o.blink, strerror(-rc));
	return rc;
}

static int open_journal(struct program *p)
{
	const struct journal_config c = {
		.wf = &p->wf,
		.record = p->o.record,
		.replay = p->o.replay,
		.strict = p->o.strict,
	};

	if (!c.record && !c.replay)
		return 0;
	return journal_new(&p->wf.journal, &c, loop_now(p->wf.loop));
}

static int open_watchman(struct program *p)
{
	const struct watchman_config c = {
		.wf = &p->wf,
		.tolerance = (uint64_t)p->o.tolerance_us * 1000,
		.strict = p->o.strict,
		.report = p->o.report,
		.background = p->o.background,
	};

	return watchman_new(&p->wf.watchman, &c);
}

/* ---- begin and end ---- */

static void stop(void *ctx, int signo)
{
	struct program *p = ctx;

	p->signo = signo;
	wirefilter_stop(&p->wf, EXIT_SUCCESS);
}

static int begin(struct program *p)
{
	int rc = daemon_fork(&p->daemon, p->o.background, (int)p->o.ready_fd);

	if (rc) {
		log_err("unable to go to the background: %s", strerror(-rc));
		return rc;
	}
	/* Timers are as exact as they can be. */
	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	p->wf.loop = loop_new();
	rc = p->wf.loop ? loop_end_signals(p->wf.loop, stop, p) : -ENOMEM;
	if (rc)
		log_err("unable to set up the event loop: %s", strerror(-rc));
	return rc;
}

static void say_start(const struct program *p)
{
	if (p->o.net[0])
		log_notice("bidirectional vdeplug filter L=%s R=%s starting...",
			   *p->o.net[0] ? p->o.net[0] : "DEFAULT_SWITCH",
			   *p->o.net[1] ? p->o.net[1] : "DEFAULT_SWITCH");
	else
		log_notice("%sdirectional filter starting...",
			   is_bidirectional(p) ? "bi" : "mono");
}

static int get_ready(struct program *p)
{
	int rc = 0;

	if (p->o.pidfile)
		rc = pidfile_write(&p->pidfile, p->o.pidfile);
	if (rc) {
		log_err("unable to write pidfile %s: %s", p->o.pidfile,
			strerror(-rc));
		return rc;
	}
	say_start(p);
	log_never_wait();
	rc = daemon_ready(&p->daemon);
	if (rc)
		log_err("unable to go to the background: %s", strerror(-rc));
	return rc;
}

/* The status, when all is over. */
static int work(struct program *p)
{
	struct wirefilter *wf = &p->wf;
	int rc = 0;

	watchman_start(wf->watchman, loop_clock(wf->loop));
	if (!p->stopped)
		rc = loop_run(wf->loop);
	if (rc) {
		log_err("unable to wait for events: %s", strerror(-rc));
		wirefilter_stop(wf, EXIT_FAILURE);
	}
	if (wf->journal)
		wf->status = journal_finish(wf->journal, wf->status);
	return watchman_finish(wf->watchman, wf->status, loop_clock(wf->loop));
}

/* EXIT_USAGE if it is the command line that is wrong. */
static int run(struct program *p)
{
	int rc = begin(p);

	if (rc)
		return EXIT_FAILURE;
	rc = make_wire(p);
	if (rc)
		return rc == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
	if (open_watchman(p) || open_console(p))
		return EXIT_FAILURE;
	/* It is stopped already if "shutdown" is in the rc file. */
	if (!p->stopped && (open_journal(p) || open_blink(p) || open_pump(p) ||
			    get_ready(p) || open_terminal(p)))
		return EXIT_FAILURE;
	return work(p);
}

static void clean_up(struct program *p)
{
	journal_free(p->wf.journal);
	pump_free(p->wf.pump);
	cmd_stop(&p->wf);
	blink_free(p->wf.blink);
	watchman_free(p->wf.watchman);
	sorter_free(p->wf.sorter);
	feed_end(&p->wf);
	wire_free(p->wf.wire);
	pidfile_remove(&p->pidfile);
	loop_free(p->wf.loop);
}

int main(int argc, char **argv)
{
	static struct program p;
	int status;

	log_open(argv[0], LOG_NOTICE);
	options_parse(&p.o, argc, argv);
	find_pipes(&p);
	if (std_fds_open())
		return EXIT_FAILURE;
	status = run(&p);
	clean_up(&p);
	if (p.signo == SIGINT || p.signo == SIGHUP)
		loop_die_by(p.signo);
	return status;
}
