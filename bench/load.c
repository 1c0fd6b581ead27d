// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vdeload - puts load on a switch through libvdeplug's classic interface
 *
 * It is linked once; which library it loads is chosen by LD_LIBRARY_PATH, and
 * which switch by the locator, so that each half can be exchanged alone.
 */
#include "load.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "common/cli.h"
#include "common/log.h"

#define PATIENCE (30 * LOAD_SEC)

/* ---- time and processes ---- */

uint64_t load_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * LOAD_SEC + (uint64_t)ts.tv_nsec;
}

void load_sleep(uint64_t ns)
{
	const struct timespec ts = { (time_t)(ns / LOAD_SEC),
				     (long)(ns % LOAD_SEC) };

	nanosleep(&ts, NULL);
}

void *load_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("unable to share memory: %s", strerror(errno));
	return p;
}

pid_t load_fork(load_child_fn *fn, void *ctx)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die("unable to fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		fn(ctx);
	_exit(EXIT_SUCCESS);
}

void load_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void load_await(const struct counter *c, uint64_t n)
{
	uint64_t end = load_now() + PATIENCE;

	while (counter_get(c) < n) {
		if (waitpid(-1, NULL, WNOHANG) > 0)
			die("unable to go on: a client has ended");
		if (load_now() > end)
			die("unable to go on: a client is not ready");
		load_sleep(LOAD_MS / 2);
	}
}

uint64_t load_cpu(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	if (!pid || clock_getcpuclockid(pid, &clock) ||
	    clock_gettime(clock, &ts))
		return 0;
	return (uint64_t)ts.tv_sec * LOAD_SEC + (uint64_t)ts.tv_nsec;
}

double load_rss_mb(pid_t pid)
{
	char path[64], line[128];
	double kb = 0;
	FILE *f;

	if (!pid || str_fmt(path, sizeof(path), "/proc/%d/status", pid) < 0)
		return 0;
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "VmRSS:", 6) == 0)
			kb = strtod(line + 6, NULL);
	fclose(f);
	return kb / 1024;
}

/* ---- frames ---- */

VDECONN *load_open(const char *locator)
{
	char *copy = strdup(locator); /* an old library writes to it */
	VDECONN *c = NULL;

	if (copy)
		c = vde_open(copy, (char[]){ "vdeload" }, NULL);
	if (!c)
		die("unable to open %s: %s", locator, strerror(errno));
	free(copy);
	return c;
}

void load_send(VDECONN *c, const void *frame, size_t len)
{
	while (vde_send(c, frame, len, 0) < 0) {
		struct pollfd p = { vde_datafd(c), POLLOUT, 0 };

		if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
			die("unable to send: %s", strerror(errno));
		poll(&p, 1, 10);
	}
}

static void put_addr(uint8_t *p, uint64_t addr)
{
	for (int i = 0; i < ETHER_ADDR_LEN; i++)
		p[i] = (uint8_t)(addr >> (40 - 8 * i));
}

void load_set_addrs(uint8_t *frame, uint64_t dst, uint64_t src)
{
	put_addr(frame, dst);
	put_addr(frame + ETHER_ADDR_LEN, src);
}

void load_fill(uint8_t *frame, size_t len, uint64_t dst, uint64_t src)
{
	memset(frame, 0, len);
	load_set_addrs(frame, dst, src);
	frame[12] = LOAD_ETHERTYPE >> 8;
	frame[13] = LOAD_ETHERTYPE & 0xff;
}

/* A frame that nobody counts. */
static void send_hello(VDECONN *c, uint64_t dst, uint64_t src)
{
	uint8_t frame[ETHER_MIN_LEN];

	load_fill(frame, sizeof(frame), dst, src);
	frame[13]++;
	load_send(c, frame, sizeof(frame));
}

/* A frame to a station of the same port is learned from and goes nowhere. */
void load_learn(VDECONN *c, uint64_t base, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		send_hello(c, base, base + i);
}

void load_announce(VDECONN *c, uint64_t base, uint64_t n)
{
	load_learn(c, base, n);
	send_hello(c, LOAD_BROADCAST, base);
}

/* ---- command line ---- */

/* The file that vde_send() is in. */
static void library_mode(const struct load_options *o)
{
	void *found = dlsym(RTLD_DEFAULT, "vde_send");
	Dl_info info;

	if (!found || !dladdr(found, &info))
		die("unable to find libvdeplug");
	printf("{\"library\": \"%s\"}\n", info.dli_fname);
}

#define OPT(member) .offset = offsetof(struct load_options, member)

/* clang-format off */
static const struct cli_option options[] = {
	{ 't', "tx", CLI_STR, "VNL", "where the sender connects", OPT(tx) },
	{ 'r', "rx", CLI_STR, "VNL", "where the receivers connect", OPT(rx) },
	{ 'l', "len", CLI_NUM, "BYTES", "length of a frame (64)", OPT(len), .min = ETHER_MIN_LEN, .max = LOAD_FRAME_MAX },
	{ 'm', "ms", CLI_NUM, "MS", "how long to measure (500)", OPT(ms), .min = 1, .max = 60000 },
	{ 0, "drain", CLI_NUM, "MS", "how long to wait before the switch's memory is looked at (20)", OPT(drain_ms), .min = 0, .max = 60000 },
	{ 'w', "warmup", CLI_NUM, "MS", "how long to run before that (100)", OPT(warmup_ms), .min = 0, .max = 60000 },
	{ 'W', "window", CLI_NUM, "N", "send only while less than N frames are on their way", OPT(window), .min = 0, .max = 1 << 20 },
	{ 'p', "ports", CLI_NUM, "N", "connections that receive, or that are held (1)", OPT(ports), .min = 1, .max = 16384 },
	{ 'a', "addresses", CLI_NUM, "N", "stations that take turns (2)", OPT(addresses), .min = 2, .max = 1 << 20 },
	{ 'f', "first", CLI_NUM, "N", "number of the first station (0)", OPT(first), .min = 0, .max = 1 << 20 },
	{ 'P', "pid", CLI_NUM, "PID", "count the processor time of this process", OPT(pid), .min = 1, .max = INT32_MAX },
	{ 'o', "poll", CLI_FLAG, NULL, "call poll() before each frame is received", OPT(poll) },
	{ 'b', "batch", CLI_FLAG, NULL, "send and receive by the calls for batches", OPT(batch) },
	{ 'R', "raw", CLI_FLAG, NULL, "connect, or receive on many ports, past the library", OPT(raw) },
};

static const struct {
	const char *name;
	load_mode_fn *fn;
} modes[] = {
	{ "traffic", traffic_mode }, /* frames/s from one client to others */
	{ "pingpong", pingpong_mode }, /* time of a round trip */
	{ "udp", udp_mode }, /* the same over IP, from one host to another */
	{ "udp-echo", udp_echo_mode }, /* that other host */
	{ "probe", probe_mode }, /* what stations miss while a network heals */
	{ "hold", hold_mode }, /* keeps N connections until stdin ends */
	{ "connect", connect_mode }, /* connections/s */
	{ "start", start_mode }, /* from exec to the first frame */
	{ "library", library_mode }, /* its path */
};
/* clang-format on */

static const struct cli cli = {
	.synopsis = "[OPTION]... MODE [COMMAND]...",
	.about = "Puts load on a switch and prints what it measured as JSON; "
		 "MODE is traffic, pingpong, udp, udp-echo, probe, hold, "
		 "connect, start or library.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.mode = CLI_STOP,
};

/* A connection of the library takes two or three descriptors. */
static void raise_descriptor_limit(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
}

int main(int argc, char **argv)
{
	struct load_options o = { .len = 64,
				  .ms = 500,
				  .warmup_ms = 100,
				  .drain_ms = 20,
				  .ports = 1,
				  .addresses = 2 };
	int i;

	log_open(argv[0], LOG_NOTICE);
	i = cli_parse(&cli, argc, argv, &o);
	if (i >= argc)
		cli_usage("a mode is missing");
	if (!o.tx)
		o.tx = "";
	if (!o.rx)
		o.rx = o.tx;
	o.command = argv + i + 1;
	raise_descriptor_limit();
	for (size_t m = 0; m < ARRAY_SIZE(modes); m++) {
		if (strcmp(modes[m].name, argv[i]) != 0)
			continue;
		modes[m].fn(&o);
		return EXIT_SUCCESS;
	}
	cli_usage("unknown mode '%s'", argv[i]);
}
