// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vde_switch - a virtual Ethernet switch
 *
 * Start: options, background, descriptors, sockets and files, rc file, ready,
 * loop. The end is the reverse. Up to "ready" every failure ends the program
 * with a message; after it nothing a peer does can.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "common/cli.h"
#include "common/daemon.h"
#include "common/unixsock.h"
#include "switch/capture.h"
#include "switch/cmd.h"
#include "switch/cmd_loopguard.h"
#include "switch/ctlsock.h"
#include "switch/event.h"
#include "switch/fstp.h"
#include "switch/hostif.h"
#include "switch/mirror.h"
#include "switch/plugin.h"
#include "switch/snoop.h"
#include "switch/tr_packet.h"
#include "switch/tr_tap.h"

#define MAX_INTERFACES 64 /* of each kind */
#define POOL_FRAMES 8192
#define UNSET_MODE UINT32_MAX
#define SPARSE_COPIES 2
#define SPARSE_TURNS 8
#define LINGER (50 * LOOP_MS / 1000)

struct names {
	const char *name[MAX_INTERFACES];
	size_t n;
};

struct options {
	const char *sock, *group, *mgmt, *mgmtgroup, *rcfile, *pidfile;
	int64_t numports, hashsize, priority, ready_fd, debugclients;
	unsigned int mode, dirmode, mgmtmode;
	bool hub, fstp, daemon, nostdin, norings;
	uint64_t macaddr;
	struct names taps, interfaces;
};

static bool opt_macaddr(void *opts, const char *arg)
{
	struct options *o = opts;

	return ether_parse(arg, &o->macaddr) && o->macaddr &&
	       !ether_is_multicast(o->macaddr);
}

static bool add_name(struct names *names, const char *name)
{
	if (names->n == MAX_INTERFACES || !*name)
		return false;
	names->name[names->n++] = name;
	return true;
}

static bool opt_tap(void *opts, const char *arg)
{
	return add_name(&((struct options *)opts)->taps, arg);
}

static bool opt_interface(void *opts, const char *arg)
{
	return add_name(&((struct options *)opts)->interfaces, arg);
}

#define OPT(member) .offset = offsetof(struct options, member)

/* clang-format off */
static const struct cli_option options[] = {
	{ 's', "sock vdesock unix", CLI_STR, "DIR", "directory of the switch's sockets", OPT(sock) },
	{ 'm', "mode mod", CLI_MODE, "MODE", "permissions of the sockets, octal (0600)", OPT(mode) },
	{ 0, "dirmode", CLI_MODE, "MODE", "permissions of the directory (02700)", OPT(dirmode) },
	{ 'g', "group", CLI_STR, "GROUP", "group of the directory and the sockets", OPT(group) },
	{ 'n', "numports", CLI_NUM, "N", "number of ports (32)", OPT(numports), .min = 1, .max = BRIDGE_PORTS_MAX },
	{ 'x', "hub", CLI_FLAG, NULL, "be a hub: every frame to every port", OPT(hub) },
	{ 't', "tap", CLI_CALL, "IF", "connect the tap interface IF; may be repeated", .fn = opt_tap },
	{ 0, "interface", CLI_CALL, "IF", "connect the existing interface IF; may be repeated", .fn = opt_interface },
	{ 'M', "mgmt", CLI_STR, "PATH", "management socket", OPT(mgmt) },
	{ 0, "mgmtmode", CLI_MODE, "MODE", "permissions of the management socket (0600)", OPT(mgmtmode) },
	{ 0, "mgmtgroup", CLI_STR, "GROUP", "group of the management socket", OPT(mgmtgroup) },
	{ 'f', "rcfile", CLI_STR, "FILE", "commands to run at start", OPT(rcfile) },
	{ 'd', "daemon", CLI_FLAG, NULL, "run in the background", OPT(daemon) },
	{ 'p', "pidfile", CLI_STR, "FILE", "write the process id to FILE", OPT(pidfile) },
	{ 0, "nostdin", CLI_FLAG, NULL, "no console on standard input", OPT(nostdin) },
	{ 0, "norings", CLI_FLAG, NULL, "no shared memory: clients get datagrams", OPT(norings) },
	{ 0, "ready-fd", CLI_FD, "N", "write a newline to descriptor N when ready", OPT(ready_fd) },
	{ 'F', "fstp", CLI_FLAG, NULL, "start with spanning tree on", OPT(fstp) },
	{ 0, "priority", CLI_NUM, "N", "bridge priority (0x8000)", OPT(priority), .min = 0, .max = 0xffff },
	{ 0, "macaddr", CLI_CALL, "MAC", "the switch's own address (random)", .fn = opt_macaddr },
	{ 0, "hashsize", CLI_NUM, "N", "addresses to make room for at first (128)", OPT(hashsize), .min = 1, .max = MACTAB_MAX_SLOTS },
	{ 'D', "debugclients", CLI_NUM, "N", NULL, OPT(debugclients), .min = 0, .max = INT32_MAX },
};
/* clang-format on */

static const struct cli cli = {
	.synopsis = "[OPTION]...",
	.about =
		"A virtual Ethernet switch; programs connect to its directory.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.mode = CLI_LONG_ONLY,
};

/* Search permission for whoever may read or write. */
static unsigned int with_search(unsigned int mode)
{
	return mode | (mode & 0444) >> 2 | (mode & 0222) >> 1;
}

/* VDE 2: each of -m and --dirmode gives a default for the other. */
static void default_modes(struct options *o)
{
	if (o->mode == UNSET_MODE && o->dirmode == UNSET_MODE) {
		o->mode = 0600;
		o->dirmode = 02700;
	} else if (o->dirmode == UNSET_MODE) {
		o->dirmode = 02000 | with_search(o->mode);
	} else if (o->mode == UNSET_MODE) {
		o->mode = o->dirmode & 0666;
	}
}

static gid_t group_of(const char *name)
{
	gid_t gid;

	if (!name)
		return UNIXSOCK_KEEP_GROUP;
	if (!unixsock_group(name, &gid))
		die("no such group '%s'", name);
	return gid;
}

static void random_bytes(void *p, size_t n)
{
	if (getrandom(p, n, 0) != (ssize_t)n)
		die("unable to get random bytes: %s", strerror(errno));
}

/* Each client takes two descriptors. */
static void raise_descriptor_limit(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) || rl.rlim_cur == rl.rlim_max)
		return;
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl))
		log_warn("unable to raise the limit of descriptors: %s",
			 strerror(errno));
}

/* ---- the running switch ---- */

struct program {
	struct vswitch sw;
	struct options opt;
	struct daemon daemon;
	struct pidfile pidfile;
	int mgmt_fd;
	struct unixsock_id mgmt_id; /* of its file */
	int signal; /* to die by at the end, 0: exit normally */
};

static void gc_due(struct loop_timer *t);

static void start_gc(struct vswitch *sw, uint64_t delay)
{
	loop_timer_set(sw->loop, &sw->gc, delay, gc_due);
}

static void gc_due(struct loop_timer *t)
{
	struct vswitch *sw = container_of(t, struct vswitch, gc);
	uint64_t now = loop_now(sw->loop);
	uint64_t due = bridge_expire(sw->br, now);

	if (due)
		start_gc(sw, due > now ? due - now : 0);
}

static void hold_due(struct loop_timer *t)
{
	struct vswitch *sw = container_of(t, struct vswitch, hold);
	uint64_t now = loop_now(sw->loop);
	uint64_t due = port_hold_expire(sw->br, now);

	if (due)
		loop_timer_set(sw->loop, &sw->hold, due - now, hold_due);
}

/* One frame at a time, again and again: somebody waits for each answer. So
 * does a sender of TCP that has a few long frames on their way. */
static void linger_if_sparse(struct vswitch *sw)
{
	uint64_t n = sw->br->copies - sw->copies;
	bool sparse = n <= SPARSE_COPIES || sw->br->uncut != sw->uncut;

	sw->copies = sw->br->copies;
	sw->uncut = sw->br->uncut;
	if (n)
		sw->sparse = sparse ? sw->sparse + 1 : 0;
	if (sw->sparse >= SPARSE_TURNS)
		loop_linger(sw->loop, LINGER);
}

/* Before the loop may sleep: send what this turn forwarded. */
static void before_wait(struct loop_hook *h)
{
	struct vswitch *sw = container_of(h, struct vswitch, flush);

	bridge_flush(sw->br);
	linger_if_sparse(sw);
	if (!loop_timer_armed(&sw->gc) && sw->br->gc_s &&
	    mactab_used(sw->br->macs))
		start_gc(sw, sw->br->gc_s * LOOP_SEC);
	if (!list_empty(&sw->br->holding) && !loop_timer_armed(&sw->hold))
		loop_timer_set(sw->loop, &sw->hold, PORT_HOLD_NS, hold_due);
}

static void on_signal(void *ctx, int signo)
{
	struct program *pr = ctx;

	if (signo == SIGHUP)
		plugins_hangup(pr->sw.plugins);
	if (signo != SIGTERM && signo != SIGINT)
		return;
	log_notice("caught signal %d, cleaning up and exiting", signo);
	pr->signal = signo == SIGINT ? signo : 0;
	loop_stop(pr->sw.loop);
}

static void stdin_eof(void *ctx)
{
	struct program *pr = ctx;

	log_notice("EOF on stdin, cleaning up and exiting");
	loop_stop(pr->sw.loop);
}

static void session_gone(void *ctx, struct console_session *s)
{
	struct program *pr = ctx;

	event_update(&pr->sw);
}

/* Signals that only end the program are events; the rest of VDE 2's list is
 * ignored, and the one for a log that may not grow any more. */
static void take_signals(struct program *pr)
{
	static const int ignored[] = { SIGUSR1,	  SIGUSR2, SIGALRM, SIGPROF,
				       SIGVTALRM, SIGIO,   SIGPWR,  SIGXFSZ };
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	rc = loop_end_signals(pr->sw.loop, on_signal, pr);
	if (rc)
		die("unable to receive signals: %s", strerror(-rc));
}

static void start_bridge(struct program *pr)
{
	const struct options *o = &pr->opt;
	struct bridge_config cf = {
		.numports = (unsigned int)o->numports,
		.hash_size = (size_t)o->hashsize,
		.hub = o->hub,
		.pool_frames = POOL_FRAMES,
	};
	struct vswitch *sw = &pr->sw;

	random_bytes(&cf.secret, sizeof(cf.secret));
	sw->loop = loop_new();
	sw->br = sw->loop ? bridge_new(&cf) : NULL;
	if (!sw->br)
		die("unable to start: %s", strerror(ENOMEM));
	list_init(&sw->hostifs);
	loop_hook_add(sw->loop, &sw->flush, before_wait);
	sw->started = loop_now(sw->loop);
	sw->macaddr = o->macaddr;
	if (!sw->macaddr) {
		random_bytes(&sw->macaddr, 4);
		sw->macaddr = UINT64_C(0x00ff) << 32 |
			      (sw->macaddr & UINT32_MAX);
	}
}

/* What takes part in the switch besides the bridge. */
static void start_watchers(struct vswitch *sw)
{
	int rc = loops_start(sw);

	sw->mirrors = mirrors_new(sw->br);
	if (!sw->mirrors)
		rc = -ENOMEM;
	if (!rc)
		rc = snoop_start(sw);
	if (rc)
		die("unable to start: %s", strerror(-rc));
}

static void start_console(struct program *pr)
{
	struct vswitch *sw = &pr->sw;
	struct console_config cf = {
		.loop = sw->loop,
		.mgmt = &sw->mgmt,
		.greeting = SWITCH_BANNER,
		.prompt = "vde$ ",
		.stdin_eof = stdin_eof,
		.session_gone = session_gone,
		.ctx = pr,
	};

	cmd_init(sw);
	sw->console = console_new(&cf);
	if (!sw->console)
		die("unable to start the console: %s", strerror(ENOMEM));
	event_init(sw);
	start_watchers(sw);
	if (fstp_start(sw, (uint16_t)pr->opt.priority) || plugins_init(sw))
		die("unable to start: %s", strerror(ENOMEM));
}

/* From here on a failure must leave no file behind: not die(). */
static int start_mgmt(struct program *pr)
{
	const struct options *o = &pr->opt;
	struct vswitch *sw = &pr->sw;
	int rc;

	if (!o->mgmt)
		return 0;
	sw->mgmt_mode = o->mgmtmode;
	rc = path_absolute(sw->mgmt_path, o->mgmt);
	if (!rc)
		rc = pr->mgmt_fd = unixsock_listen(sw->mgmt_path, o->mgmtmode,
						   group_of(o->mgmtgroup));
	if (rc >= 0) {
		pr->mgmt_id = unixsock_id(sw->mgmt_path);
		rc = console_listen(sw->console, pr->mgmt_fd);
	}
	if (rc < 0)
		log_err("unable to open management socket %s: %s", o->mgmt,
			strerror(-rc));
	return rc;
}

static int start_pidfile(struct program *pr)
{
	int rc;

	if (!pr->opt.pidfile)
		return 0;
	rc = pidfile_write(&pr->pidfile, pr->opt.pidfile);
	if (rc)
		log_err("unable to write pidfile %s: %s", pr->opt.pidfile,
			strerror(-rc));
	return rc;
}

static int start_taps(struct program *pr)
{
	for (size_t i = 0; i < pr->opt.taps.n; i++) {
		const char *name = pr->opt.taps.name[i];
		int rc = tap_add(&pr->sw, name);

		if (rc < 0) {
			log_err("unable to open tap interface %s: %s", name,
				hostif_strerror(rc));
			return rc;
		}
	}
	return 0;
}

static int start_interfaces(struct program *pr)
{
	for (size_t i = 0; i < pr->opt.interfaces.n; i++) {
		const char *name = pr->opt.interfaces.name[i];
		int rc = packet_add(&pr->sw, name);

		if (rc < 0) {
			log_err("unable to open interface %s: %s", name,
				packet_strerror(rc));
			return rc;
		}
	}
	return 0;
}

static int load_rc(struct program *pr, const char *path, int level)
{
	int rc = console_load(pr->sw.console, path, NULL);

	if (rc)
		log_msg(level, "unable to read rc file %s: %s", path,
			strerror(-rc));
	return rc;
}

/* The file that was asked for must exist, the default ones need not. */
static int run_rcfile(struct program *pr)
{
	const char *home = getenv("HOME");
	char path[PATH_MAX];

	if (pr->opt.rcfile)
		return load_rc(pr, pr->opt.rcfile, LOG_ERR);
	if (home &&
	    str_fmt(path, sizeof(path), "%s/.vde2/vde_switch.rc", home) > 0 &&
	    !access(path, R_OK))
		load_rc(pr, path, LOG_WARNING);
	else if (!access("/etc/vde2/vde_switch.rc", R_OK))
		load_rc(pr, "/etc/vde2/vde_switch.rc", LOG_WARNING);
	return 0;
}

static int start_sockets(struct program *pr)
{
	const struct options *o = &pr->opt;
	struct ctlsock_config cf = {
		.dir = o->sock,
		.mode = o->mode,
		.dirmode = o->dirmode,
		.group = group_of(o->group),
		.mgmt_mode = o->mgmtmode,
		.mgmt_group = group_of(o->mgmtgroup),
		.no_rings = o->norings,
	};

	pr->sw.ctl = ctlsock_new(&pr->sw, &cf);
	return pr->sw.ctl ? 0 : -EIO;
}

/* Before anything is connected that could be part of a loop. */
static int start_fstp(const struct program *pr)
{
	if (pr->opt.fstp && pr->opt.hub)
		log_warn("a hub has no spanning tree: --fstp ignored");
	else if (pr->opt.fstp)
		return stp_set_on(pr->sw.stp, true);
	return 0;
}

static int start(struct program *pr)
{
	int rc = start_sockets(pr);

	if (!rc)
		rc = start_mgmt(pr);
	if (!rc)
		rc = start_pidfile(pr);
	if (!rc)
		rc = start_fstp(pr);
	if (!rc)
		rc = start_taps(pr);
	if (!rc)
		rc = start_interfaces(pr);
	if (!rc)
		rc = run_rcfile(pr);
	if (rc)
		return rc;
	log_never_wait();
	rc = daemon_ready(&pr->daemon);
	if (!rc && !pr->opt.daemon && !pr->opt.nostdin)
		rc = console_stdin(pr->sw.console);
	if (rc)
		log_err("unable to start: %s", strerror(-rc));
	return rc;
}

static void stop(struct program *pr)
{
	struct vswitch *sw = &pr->sw;

	pidfile_remove(&pr->pidfile);
	plugins_free(sw->plugins);
	console_free(sw->console);
	loops_stop(sw);
	mirrors_free(sw->mirrors);
	snoop_stop(sw);
	event_fini(sw);
	fstp_stop(sw);
	if (pr->mgmt_fd >= 0) {
		close(pr->mgmt_fd);
		unixsock_unlink(sw->mgmt_path, pr->mgmt_id);
	}
	linkwatch_close(&sw->links, sw->loop);
	captures_free(sw);
	rx_batch_fini(&sw->rx);
	bridge_free(sw->br);
	ctlsock_free(sw->ctl);
	loop_free(sw->loop);
}

int main(int argc, char **argv)
{
	struct program pr = {
		.opt = { .numports = 32,
			 .hashsize = 128,
			 .priority = 0x8000,
			 .ready_fd = -1,
			 .mode = UNSET_MODE,
			 .dirmode = UNSET_MODE,
			 .mgmtmode = 0600 },
		.mgmt_fd = -1,
	};
	int rc;

	log_open(argv[0], LOG_NOTICE);
	rc = std_fds_open();
	if (rc)
		die("unable to open /dev/null: %s", strerror(-rc));
	rc = cli_parse(&cli, argc, argv, &pr.opt);
	if (rc < argc)
		cli_usage("unexpected argument '%s'", argv[rc]);
	default_modes(&pr.opt);
	rc = daemon_fork(&pr.daemon, pr.opt.daemon, (int)pr.opt.ready_fd);
	if (rc)
		die("unable to fork: %s", strerror(-rc));
	raise_descriptor_limit();
	start_bridge(&pr);
	take_signals(&pr);
	start_console(&pr);
	rc = start(&pr);
	if (!rc) {
		rc = loop_run(pr.sw.loop);
		if (rc)
			log_err("unable to wait for events: %s", strerror(-rc));
	}
	stop(&pr);
	if (!rc && pr.signal)
		loop_die_by(pr.signal); /* as VDE 2: a shell relies on it */
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
