// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wireprobe - measures what a wire does to frames, from outside
 *
 * It starts a wire as dpipe would, or uses one between two switches, puts
 * frames in at one end, takes them out at the other, and prints one JSON
 * object. It knows nothing of what the wire says about itself: wirefilter, VDE
 * 2's, a bare delay line (delayline.c) and mere pipes are measured alike.
 * bench/wire.py runs it.
 */
#include "wireprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/ether.h"
#include "base/num.h"
#include "base/strbuf.h"
#include "common/cli.h"
#include "common/log.h"

#define AT_NUMBER ETHER_HDR_LEN
#define AT_STAMP (AT_NUMBER + 8)
#define PATTERN 0x5a
#define MANY 5000000 /* bytes/s */
#define WIDE (1 << 20) /* what anybody may have */
#define SIDES 4 /* descriptors of a subject: 0, 1 left, 2, 3 right */

/* ---- time ---- */

static uint64_t ns_of(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * PROBE_SEC + (uint64_t)ts->tv_nsec;
}

uint64_t probe_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ns_of(&ts);
}

void probe_sleep_until(uint64_t ns)
{
	const struct timespec ts = { (time_t)(ns / PROBE_SEC),
				     (long)(ns % PROBE_SEC) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL))
		;
}

uint64_t probe_cpu(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	if (!pid || clock_getcpuclockid(pid, &clock) ||
	    clock_gettime(clock, &ts))
		return 0;
	return ns_of(&ts);
}

void *probe_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		die("unable to map %zu bytes: %s", size, strerror(errno));
	return p;
}

void probe_nonblock(int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		die("unable to set up a pipe: %s", strerror(errno));
}

/* ---- the subject ---- */

static void make_pipe(int p[2])
{
	if (pipe2(p, O_CLOEXEC) < 0)
		die("unable to make a pipe: %s", strerror(errno));
}

/* In the child: left is 0 and 1, right is 3 and 4. */
static void run(const int fds[SIDES], char **command)
{
	int safe[SIDES];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < SIDES; i++) /* out of the way of what is set */
		safe[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 16);
	for (int i = 0; i < SIDES; i++) {
		if (dup2(safe[i], i < 2 ? i : i + 1) < 0)
			_exit(127);
	}
	setenv("ALTERNATE_STDIN", "3", 1);
	setenv("ALTERNATE_STDOUT", "4", 1);
	execvp(command[0], command);
	log_err("unable to run %s: %s", command[0], strerror(errno));
	_exit(127);
}

void subject_start(struct subject *s, char **command)
{
	int in[2][2], out[2][2];

	*s = (struct subject){ 0 };
	for (int d = 0; d < 2; d++) {
		make_pipe(in[d]);
		s->to[d] = in[d][1];
		s->from[d] = in[d][0];
	}
	if (!command[0])
		return;
	for (int d = 0; d < 2; d++) {
		make_pipe(out[d]);
		s->from[d] = out[d][0];
	}
	s->pid = fork();
	if (s->pid < 0)
		die("unable to fork: %s", strerror(errno));
	if (s->pid == 0) {
		run((const int[SIDES]){ in[0][0], out[1][1], in[1][0],
					out[0][1] },
		    command);
	}
	for (int d = 0; d < 2; d++) {
		close(in[d][0]);
		close(out[d][1]);
	}
}

void subject_widen(const struct subject *s, int64_t rate)
{
	for (int d = 0; rate > MANY && d < 2; d++) {
		fcntl(s->to[d], F_SETPIPE_SZ, WIDE);
		fcntl(s->from[d], F_SETPIPE_SZ, WIDE);
	}
}

void subject_stop(struct subject *s)
{
	uint64_t end = probe_now() + PROBE_SEC;

	if (!s->pid)
		return;
	kill(s->pid, SIGTERM);
	while (waitpid(s->pid, NULL, WNOHANG) == 0) {
		if (probe_now() > end)
			kill(s->pid, SIGKILL);
		probe_sleep_until(probe_now() + PROBE_MS);
	}
	s->pid = 0;
}

void subject_check(const struct subject *s)
{
	int status;

	if (s->pid && waitpid(s->pid, &status, WNOHANG) > 0)
		die("unable to measure: the wire has ended");
}

/* ---- frames ---- */

void probe_fill(uint8_t *frame, size_t len, uint64_t number, uint64_t stamp)
{
	static const uint8_t addrs[12] = { 2, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0 };

	memset(frame, PATTERN, len);
	memcpy(frame, addrs, sizeof(addrs));
	frame[12] = 0x88; /* IEEE 802, local experiments */
	frame[13] = 0xb5;
	memcpy(frame + AT_NUMBER, &number, sizeof(number));
	if (len >= PROBE_LEN_STAMPED)
		memcpy(frame + AT_STAMP, &stamp, sizeof(stamp));
}

static bool is_pattern(const uint8_t *p, size_t len)
{
	/* Each byte is as the one before it. */
	return !len || (*p == PATTERN && memcmp(p, p + 1, len - 1) == 0);
}

bool probe_read(struct probe_tally *t, const uint8_t *frame, size_t got,
		size_t len, uint64_t *number, uint64_t *stamp)
{
	size_t at = len >= PROBE_LEN_STAMPED ? PROBE_LEN_STAMPED
					     : PROBE_LEN_MIN;

	if (got != len || frame[12] != 0x88 || frame[13] != 0xb5 ||
	    !is_pattern(frame + at, len - at)) {
		t->damaged++;
		return false;
	}
	memcpy(number, frame + AT_NUMBER, sizeof(*number));
	*stamp = 0;
	if (len >= PROBE_LEN_STAMPED)
		memcpy(stamp, frame + AT_STAMP, sizeof(*stamp));
	return true;
}

void probe_count(struct probe_tally *t, uint64_t number)
{
	if (number == PROBE_HELLO)
		return;
	if (number < t->next) {
		t->doubled++;
		return;
	}
	t->got++;
	t->lost += number - t->next;
	t->next = number + 1;
}

/* ---- streams ---- */

void probe_stream_init(struct stream *s)
{
	uint8_t *buf = malloc(2 * PROBE_BUF);

	if (!buf)
		die("unable to allocate a buffer");
	stream_init(s, buf, 2 * PROBE_BUF, STREAM_FRAME_MAX);
}

ssize_t probe_fill_stream(struct stream *s, int fd)
{
	size_t room;
	uint8_t *p = stream_space(s, &room);
	ssize_t n = read(fd, p, room < PROBE_BUF ? room : PROBE_BUF);

	if (n < 0)
		return -errno;
	stream_fill(s, (size_t)n);
	return n;
}

void probe_flush(struct stream *s, int fd)
{
	size_t len;
	const uint8_t *p;
	ssize_t n;

	while (p = stream_pending(s, &len), len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			die("unable to send: %s", strerror(errno));
		stream_sent(s, (size_t)n);
	}
}

/* ---- options ---- */

/* clang-format off */
#define OPT(member) offsetof(struct probe_options, member)
static const struct cli_option options[] = {
	{ 0, "left", CLI_STR, "LOCATOR", "where to send, of a wire that runs",
	  OPT(left), 0, 0, NULL },
	{ 0, "right", CLI_STR, "LOCATOR", "where to receive", OPT(right), 0, 0,
	  NULL },
	{ 0, "len", CLI_NUM, "N", "bytes of a frame, of the longest one (tcp) (62)", OPT(len),
	  PROBE_LEN_MIN, STREAM_FRAME_MAX, NULL },
	{ 0, "ms", CLI_NUM, "N", "how long to measure (1000)", OPT(ms), 1,
	  600000, NULL },
	{ 0, "rate", CLI_NUM, "N", "frames/s to send (delay), or bytes/s that "
	  "were asked of the wire (rate, tcp)", OPT(rate), 1, 1000000000,
	  NULL },
	{ 0, "delay-us", CLI_NUM, "N", "what was asked of the wire (0)",
	  OPT(delay_us), 0, 10000000, NULL },
	{ 0, "window", CLI_NUM, "N", "bytes on their way (rate)", OPT(window),
	  0, 1000000000, NULL },
	{ 0, "pid", CLI_NUM, "N", "of a wire that runs, whose processor time "
	  "counts", OPT(pid), 1, INT32_MAX, NULL },
};

static const struct {
	const char *name;
	probe_mode_fn *fn;
} modes[] = {
	{ "rate", wire_rate_mode }, /* both ways at once, always full */
	{ "tcp", wire_tcp_mode }, /* the same by one TCP connection */
	{ "flood", wire_flood_mode }, /* L->R, as fast as it goes */
	{ "delay", wire_delay_mode }, /* L->R, how late at a steady rate */
};
/* clang-format on */

static const struct cli cli = {
	.synopsis = "[OPTION]... MODE [COMMAND [ARGUMENT]...]",
	.about = "Measures what the wire COMMAND, or one that runs, does to "
		 "frames and prints JSON; MODE is rate, tcp, flood or delay.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.mode = CLI_STOP,
};

int main(int argc, char **argv)
{
	struct probe_options o = { .len = 62, .ms = 1000, .rate = 1000 };
	int i;

	log_open(argv[0], LOG_NOTICE);
	i = cli_parse(&cli, argc, argv, &o);
	if (i >= argc)
		cli_usage("a mode is missing");
	if (!o.left != !o.right)
		cli_usage("--left and --right belong together");
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1);
	o.command = argv + i + 1;
	for (size_t m = 0; m < ARRAY_SIZE(modes); m++) {
		if (strcmp(modes[m].name, argv[i]) != 0)
			continue;
		modes[m].fn(&o);
		return EXIT_SUCCESS;
	}
	cli_usage("unknown mode '%s'", argv[i]);
}
